import type { NamedValue, PresetDefinition } from "@slipway/template";

/**
 * Returns the preset with the most parameters, among those whose every parameter has its value in `values`; the first
 * of equals.
 */
export function matchingPreset<P extends { readonly preset: Pick<PresetDefinition, "parameters"> }>(
  presets: readonly P[],
  values: readonly NamedValue[],
): P | undefined {
  const given = new Map(values.map(({ name, value }) => [name, value]));
  return presets
    .filter(({ preset }) => preset.parameters.every(({ name, value }) => given.get(name) === value))
    .toSorted((a, b) => b.preset.parameters.length - a.preset.parameters.length)[0];
}
