import type { NamedValue, ParameterDefinition, TemplateDefinition } from "./definition.ts";
import { maxValuesLength } from "./limits.ts";
import { valueProblem } from "./parameter-value.ts";
import { quote } from "./quote.ts";
import { RegexMatcher } from "./regex.ts";
import { didYouMean } from "./suggest.ts";

export interface ParameterChoice {
  /** The name of a preset, whose values take precedence. */
  readonly preset?: string;
  /** The values of the request. */
  readonly given: readonly NamedValue[];
  /** The values of the previous build; absent for the first one. */
  readonly previous?: readonly NamedValue[];
}

/** A problem with a parameter, or with the preset if `field` is `preset`. */
export interface ParameterProblem {
  readonly field: string;
  readonly message: string;
}

export type ResolvedParameters =
  /** The values, one for each parameter, in the order of the template. */
  { readonly values: readonly NamedValue[] } | { readonly problems: readonly ParameterProblem[] };

/**
 * Chooses the value of each parameter for a build: the preset's, or the request's, or the previous build's (except of
 * ephemeral ones), or the default. Refuses unknown names and values that do not fit. Drops values of the previous
 * build whose parameter the template no longer has.
 */
export function resolveParameters(
  definition: TemplateDefinition,
  choice: ParameterChoice,
): ResolvedParameters {
  const problems: ParameterProblem[] = [];
  const preset = definition.presets.find((one) => one.name === choice.preset);
  if (choice.preset !== undefined && preset === undefined) {
    const names = definition.presets.map((one) => one.name);
    problems.push({
      field: "preset",
      message: `unknown preset ${quote(choice.preset)}${didYouMean(choice.preset, names)}`,
    });
  }
  problems.push(...nameProblems(definition, choice.given));

  const sources = {
    preset: byName(preset?.parameters ?? []),
    given: byName(choice.given),
    previous: byName(choice.previous ?? []),
  };
  const matcher = new RegexMatcher();
  const values: NamedValue[] = [];
  for (const parameter of definition.parameters) {
    const resolved = resolveOne(parameter, sources, matcher);
    if ("message" in resolved) problems.push(resolved);
    else values.push(resolved);
  }
  if (problems.length === 0) problems.push(...lengthProblems(values));
  return problems.length > 0 ? { problems } : { values };
}

function lengthProblems(values: readonly NamedValue[]): readonly ParameterProblem[] {
  const length = values.reduce((sum, { value }) => sum + value.length, 0);
  const longest = values.toSorted((a, b) => b.value.length - a.value.length)[0];
  if (length <= maxValuesLength || longest === undefined) return [];
  const message = `found ${length} characters in all values together, wanted at most ${maxValuesLength}`;
  return [{ field: longest.name, message }];
}

type Values = ReadonlyMap<string, string>;

function resolveOne(
  parameter: ParameterDefinition,
  sources: { readonly preset: Values; readonly given: Values; readonly previous: Values },
  matcher: RegexMatcher,
): NamedValue | ParameterProblem {
  const { name, isEphemeral, isMutable } = parameter;
  const fail = (message: string): ParameterProblem => ({ field: name, message });
  const previous = isEphemeral ? undefined : sources.previous.get(name);
  const value =
    sources.preset.get(name) ?? sources.given.get(name) ?? previous ?? parameter.default;
  if (value === undefined) return fail("missing value: the parameter is required");
  const problem = valueProblem(parameter, value, matcher, previous);
  if (problem !== undefined) return fail(problem);
  // A value that the template's new version refuses may be fixed, even if it is otherwise immutable.
  const mayChange =
    value === previous ||
    isMutable ||
    previous === undefined ||
    valueProblem(parameter, previous, matcher) !== undefined;
  if (!mayChange) {
    return fail(
      `found ${quote(value)}, wanted ${quote(previous ?? "")}: the parameter cannot change after the first build`,
    );
  }
  return { name, value };
}

function nameProblems(
  definition: TemplateDefinition,
  given: readonly NamedValue[],
): readonly ParameterProblem[] {
  const names = definition.parameters.map((one) => one.name);
  const seen = new Set<string>();
  const problems: ParameterProblem[] = [];
  for (const { name } of given) {
    const field = name.slice(0, 60);
    if (!names.includes(name))
      problems.push({
        field,
        message: `unknown parameter ${quote(name)}${didYouMean(name, names)}`,
      });
    else if (seen.has(name)) problems.push({ field, message: "found a second value" });
    seen.add(name);
    if (problems.length >= maxNameProblems) break;
  }
  return problems;
}

const maxNameProblems = 20;

function byName(values: readonly NamedValue[]): Values {
  return new Map(values.map(({ name, value }) => [name, value]));
}
