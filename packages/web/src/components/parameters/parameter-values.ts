import type { BuildParameter } from "@slipway/api/builds/build";
import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";

/** Values of parameters by their names. */
export type ParameterValues = Readonly<Record<string, string>>;

/** Returns the values of a build by their names. */
export function namedValues(values: readonly BuildParameter[]): ParameterValues {
  return Object.fromEntries(values.map(({ name, value }) => [name, value]));
}

/** Returns the values of the parameters that there are; a form keeps those of others, which may come back. */
export function ofParameters(
  parameters: readonly EvaluatedParameter[],
  values: ParameterValues,
): ParameterValues {
  const names = new Set(parameters.map(({ name }) => name));
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
}

/** Returns what a form begins with: the values of the last build, and otherwise the defaults. */
export function initialValues(
  parameters: readonly EvaluatedParameter[],
  last: readonly BuildParameter[],
): ParameterValues {
  const kept = new Map(last.map(({ name, value }) => [name, value]));
  const values: Record<string, string> = {};
  for (const { name, ephemeral, default_value: initial } of parameters) {
    values[name] = (ephemeral ? undefined : kept.get(name)) ?? initial.value;
  }
  return values;
}

/** Returns the parameters that a version needs and the last build did not give a value that still holds. */
export function missingParameters(
  parameters: readonly EvaluatedParameter[],
  last: readonly BuildParameter[],
): readonly EvaluatedParameter[] {
  const kept = new Map(last.map(({ name, value }) => [name, value]));
  return parameters.filter((parameter) => {
    if (parameter.ephemeral) return false;
    const value = kept.get(parameter.name);
    if (value === undefined) return parameter.required;
    const { options, type } = parameter;
    const isChoice = options.length > 0 && type !== "list(string)";
    return isChoice && !options.some((option) => option.value.value === value);
  });
}

/** Returns the values that differ from those that the form began with. */
export function changedValues(
  values: ParameterValues,
  initial: ParameterValues,
): readonly BuildParameter[] {
  return Object.entries(values)
    .filter(([name, value]) => initial[name] !== value)
    .map(([name, value]) => ({ name, value }));
}
