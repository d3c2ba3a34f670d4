/** A JSON schema (draft 7) as published by the server, as far as the reference reads it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly $comment?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly pattern?: string;
}

const head = `# Reference of \`slipway.yaml\`

Every field of a template, generated from the JSON schema that the server publishes (\`npm run generate\`; do not edit). How to work with
templates, what \`\${{ … }}\` may name, and what regular expressions may be is in [docs/templates.md](templates.md).

Quote a **string** that YAML would read as another type. A **duration** is whole seconds, written as \`45s\`, \`5m\`, \`1h30m\` or \`2d\`.
A **size** has a unit: \`512MiB\`, \`2GiB\` and \`1.5GB\`, or as in Kubernetes \`512Mi\`, \`2Gi\` and \`1.5G\`.
A **map** has the fields of its section, or names that you choose. Fields that are not listed are refused at push, with line and column.
`;

/** Writes the reference: a section for each map with fields, in schema order. */
export function templateReference(schema: Schema): string {
  return [head, ...sections("", schema)].join("\n");
}

function sections(path: string, schema: Schema): readonly string[] {
  const { properties = {}, required = [] } = schema;
  const title = path === "" ? "## The template" : `## \`${path}\``;
  const about = path === "" || schema.description === undefined ? "" : `${schema.description}\n\n`;
  const fields = Object.entries(properties).map(([name, field]) =>
    fieldText(name, field, required.includes(name)),
  );
  const below = Object.entries(properties).flatMap(([name, field]) =>
    sectionsBelow(path === "" ? name : `${path}.${name}`, field),
  );
  return [`${title}\n\n${about}${fields.join("\n")}\n`, ...below];
}

/** Writes the sections of a field or of its content; they begin with the field's meaning. */
function sectionsBelow(path: string, field: Schema): readonly string[] {
  if (field.properties !== undefined) return sections(path, field);
  const { items, additionalProperties: values, description } = field;
  const about = description === undefined ? {} : { description };
  if (items?.properties !== undefined) return sections(`${path}[]`, { ...items, ...about });
  if (typeof values === "object" && values.properties !== undefined) {
    return sections(`${path}.<name>`, { ...values, ...about });
  }
  return [];
}

function fieldText(name: string, field: Schema, isRequired: boolean): string {
  const facts = [typeText(field), ...limitTexts(field)];
  if (isRequired) facts.push("required");
  else if (field.default !== undefined && field.default !== "")
    facts.push(`default \`${yaml(field.default)}\``);
  const example = exampleOf(field);
  const shown = example === undefined ? "" : ` Example: \`${name}: ${yaml(example)}\`.`;
  return `- **\`${name}\`** (${facts.join("; ")}): ${field.description ?? ""}${shown}`;
}

function typeText(field: Schema): string {
  if (field.enum !== undefined) return `one of ${field.enum.map((one) => `\`${one}\``).join(", ")}`;
  if (field.anyOf !== undefined) return field.anyOf.map(typeText).join(", or a ");
  if (field.items !== undefined) return `list of ${itemsText(field.items)}`;
  if (field.properties !== undefined) return "map";
  if (typeof field.additionalProperties === "object") return "map by name";
  if (field.$comment !== undefined) return field.title ?? "duration";
  const types = typeof field.type === "string" ? [field.type] : (field.type ?? []);
  const names = types.flatMap((type) => typeNames[type] ?? []);
  return [names.slice(0, -1).join(", "), ...names.slice(-1)]
    .filter((one) => one !== "")
    .join(" or ");
}

function itemsText(items: Schema): string {
  return items.properties === undefined ? typeText(items) : "maps";
}

const typeNames: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  boolean: "boolean",
  integer: "integer",
};

function limitTexts(field: Schema): readonly string[] {
  const { maxLength, minimum, maximum, maxItems, minItems, maxProperties, minProperties } = field;
  const { propertyNames: names, $comment } = field;
  const length = maxLength ?? field.anyOf?.find((one) => one.maxLength !== undefined)?.maxLength;
  return [
    length === undefined ? undefined : `at most ${length} characters`,
    maxItems === undefined || field.items?.enum !== undefined
      ? undefined
      : `${minItems === undefined ? "at most " : `${minItems} to `}${maxItems}`,
    maxProperties === undefined
      ? undefined
      : `${minProperties === undefined ? "at most " : `${minProperties} to `}${maxProperties}`,
    names === undefined ? undefined : namesText(names),
    minimum === undefined ? undefined : `${minimum} to ${maximum}`,
    $comment,
  ].filter((one) => one !== undefined);
}

function namesText({ description = "", maxLength }: Schema): string {
  return `names: ${description}${maxLength === undefined ? "" : `, at most ${maxLength} characters`}`;
}

/** Returns the schema's example, or one derived from it; undefined for maps that have a section. */
function exampleOf(field: Schema): unknown {
  if (field.examples !== undefined) return field.examples[0];
  if (field.enum !== undefined) return field.enum.find((one) => one !== field.default);
  if (field.type === "boolean") return field.default !== true;
  return undefined;
}

/** Formats a value as YAML in one line. */
function yaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yaml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => `${key}: ${yaml(one)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  return isPlain(value) ? value : JSON.stringify(value);
}

/** Reports whether YAML reads an unquoted text as itself, also in braces. */
function isPlain(text: string): boolean {
  return (
    /^[A-Za-z/](?:[\w ./-]|:(?! |$))*$/.test(text) && !/^(?:true|false|null|yes|no)$/i.test(text)
  );
}
