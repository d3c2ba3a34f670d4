import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import type { Preset } from "@slipway/api/templates/template-version";

import type { ParameterValues } from "../../components/parameters/parameter-values.ts";

/** Returns the values of a preset by their names. */
export function presetValues(preset: Preset | undefined): ParameterValues {
  return Object.fromEntries((preset?.Parameters ?? []).map(({ Name, Value }) => [Name, Value]));
}

/**
 * Returns what is sent for a new workspace: what was entered or chosen, and of the rest what the server evaluated. A
 * parameter without a value is left out, so that the server says that it is required.
 */
export function valuesToSend(
  parameters: readonly EvaluatedParameter[],
  values: ParameterValues,
): { name: string; value: string }[] {
  return parameters.flatMap(({ name, value }) => {
    const entered = values[name] ?? (value.valid ? value.value : undefined);
    return entered === undefined ? [] : [{ name, value: entered }];
  });
}
