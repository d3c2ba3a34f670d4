import {
  type FormType,
  formTypes,
  monotonies,
  type ParameterDefinition,
  type ParameterType,
  parameterTypes,
} from "../definition.ts";
import { maxLineLength, maxOptions, maxRegexLength, maxValueLength } from "../limits.ts";
import type { Location } from "../location.ts";
import { valueProblem } from "../parameter-value.ts";
import { quote } from "../quote.ts";
import type { Reader } from "../reader.ts";
import { regexProblem } from "../regex.ts";
import { description, icon, line } from "./common-fields.ts";
import { list } from "./list-shape.ts";
import { object } from "./map-shape.ts";
import { boolean, integer } from "./scalar-shape.ts";
import {
  optional,
  refine,
  required,
  type Shape,
  transform,
  type ValueOf,
  withDefault,
  withExample,
} from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const scalarValue = text({ maxLength: maxValueLength, takesScalars: true });
const itemList = list(text({ maxLength: maxValueLength, takesScalars: true }), { max: maxOptions });

/**
 * A parameter's value: a text, number or boolean, or a list for `list(string)`. Read as the text that requests
 * contain.
 */
export const parameterValue: Shape<string> = {
  schema: { anyOf: [scalarValue.schema, { ...itemList.schema, type: "array" }] },
  read: (location, reader) => {
    if (!reader.isList(location)) return scalarValue.read(location, reader);
    const items = itemList.read(location, reader);
    return items === undefined ? undefined : JSON.stringify(items);
  },
};

const limit = integer({ min: -2_147_483_648, max: 2_147_483_647 });
const validation = object({
  regex: optional(
    withExample(
      "Regular expression in RE2's syntax that the value must match; anchor it with `^…$` to match all of it.",
      "^[a-z]{1,20}$",
    ),
    text({ maxLength: maxRegexLength, problem: regexProblem }),
  ),
  error: withDefault(
    withExample("Message for values that break a rule.", "lower-case letters, at most 20"),
    line,
    "",
  ),
  min: optional(withExample("Minimum of a number.", 1), limit),
  max: optional(withExample("Maximum of a number.", 16), limit),
  monotonic: optional("The only direction in which a number may change.", choice(monotonies)),
});

const option = object({
  name: required(
    withExample("Name that people see.", "Large"),
    text({ maxLength: maxLineLength, minLength: 1, takesScalars: true }),
  ),
  value: required(
    withExample("Value of the parameter when the option is chosen.", "large"),
    parameterValue,
  ),
  description: withDefault(
    withExample("Longer explanation, in Markdown without images and HTML.", "4 cores, 16 GB"),
    description,
    "",
  ),
  icon,
});

const fields = object({
  display_name: optional(
    withExample("Name that people see (default: the name of the parameter).", "Machine size"),
    line,
  ),
  description: withDefault(
    withExample(
      "Longer explanation, in Markdown without images and HTML.",
      "Cores and memory of the machine.",
    ),
    description,
    "",
  ),
  icon,
  type: withDefault("Type of the values.", choice(parameterTypes), "string"),
  form_type: optional(
    "Form element that asks for the value (default: depends on `type` and `options`).",
    choice(formTypes),
  ),
  default: optional(
    withExample("Value if users choose none. A parameter without a default is required.", "small"),
    parameterValue,
  ),
  mutable: optional(
    "True if the value may change after the first build (default: the value of `ephemeral`).",
    boolean,
  ),
  ephemeral: withDefault(
    "True if the value holds for one build only; the next one starts from the default.",
    boolean,
    false,
  ),
  options: withDefault(
    "Values to choose from; others are refused.",
    list(option, { max: maxOptions }),
    [],
  ),
  validation: optional("Rules that values must follow.", validation),
});
type ParameterFields = ValueOf<typeof fields>;

/** A parameter, keyed by name. */
export const parameter: Shape<ParameterDefinition> = transform(
  refine(fields, checkParameter),
  (read, { key }) => definitionOf(read, key),
);

function definitionOf(read: ParameterFields, name: string): ParameterDefinition {
  return {
    name,
    displayName: read.display_name ?? name,
    description: read.description,
    icon: read.icon,
    type: read.type,
    formType: read.form_type ?? formTypesOf(read.type, read.options.length > 0)[0],
    default: read.default,
    isMutable: read.mutable ?? read.ephemeral,
    isEphemeral: read.ephemeral,
    options: read.options,
    validation: read.validation,
  };
}

/** Lists the form types of a parameter, the default first. */
function formTypesOf(type: ParameterType, hasOptions: boolean): readonly [FormType, ...FormType[]] {
  switch (type) {
    case "string":
      return hasOptions ? ["radio", "dropdown"] : ["input", "textarea"];
    case "number":
      return hasOptions ? ["radio", "dropdown"] : ["input", "slider"];
    case "bool":
      return hasOptions ? ["radio", "dropdown"] : ["checkbox", "switch"];
    case "list(string)":
      return hasOptions ? ["multi-select", "radio"] : ["tag-select"];
  }
}

function checkParameter(read: ParameterFields, location: Location, reader: Reader): void {
  const report = (key: string, message: string) =>
    reader.report(reader.child(location, key), message);
  const forms = formTypesOf(read.type, read.options.length > 0);
  if (read.form_type !== undefined && !forms.includes(read.form_type)) {
    const kind = `${read.type} ${read.options.length > 0 ? "with" : "without"} options`;
    report("form_type", `found ${read.form_type} for a ${kind}, wanted one of ${forms.join(", ")}`);
  }
  if (read.ephemeral && read.mutable === false)
    report("mutable", "found false for an ephemeral parameter, wanted true");
  if (read.ephemeral && read.default === undefined)
    reader.reportKey(location, "an ephemeral parameter needs a `default`");
  const before = reader.problemCount;
  checkValidation(read, reader.child(location, "validation"), reader);
  checkOptions(read, reader.child(location, "options"), reader);
  if (reader.problemCount > before || read.default === undefined) return;
  const problem = valueProblem(definitionOf(read, location.key), read.default, reader.matcher);
  if (problem !== undefined) report("default", `invalid value: ${problem}`);
}

function checkValidation(
  { type, validation: rules }: ParameterFields,
  location: Location,
  reader: Reader,
): void {
  if (rules === undefined) return;
  for (const [key, wanted] of Object.entries({
    regex: "string",
    min: "number",
    max: "number",
    monotonic: "number",
  })) {
    const at = reader.child(location, key);
    if (at !== location && type !== wanted)
      reader.reportKey(at, `found \`${key}\` for a ${type}, which only a ${wanted} can have`);
  }
  const { min, max } = rules;
  if (min !== undefined && max !== undefined && min > max) {
    reader.report(
      reader.child(location, "min"),
      `found ${min}, wanted at most \`max\`, which is ${max}`,
    );
  }
}

function checkOptions(read: ParameterFields, location: Location, reader: Reader): void {
  const parameterOf = definitionOf(read, "");
  // An option of a multi-select is one text of the list.
  const type = parameterOf.formType === "multi-select" ? "string" : read.type;
  const seen = { name: new Set<string>(), value: new Set<string>() };
  for (const [index, one] of read.options.entries()) {
    if (reader.isFull) return;
    const at = reader.child(location, index);
    for (const key of ["name", "value"] as const) {
      if (seen[key].has(one[key]))
        reader.report(reader.child(at, key), `duplicate ${key} ${quote(one[key])}`);
      seen[key].add(one[key]);
    }
    const problem = valueProblem({ ...parameterOf, type, options: [] }, one.value, reader.matcher);
    if (problem !== undefined)
      reader.report(reader.child(at, "value"), `invalid value: ${problem}`);
  }
}
