import { type BuildParameter, listTemplateVersionPresets, type Preset } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { UsageError } from "../../command/errors.ts";

interface Reading {
  readonly client: ApiClient;
  readonly signal: AbortSignal;
}

/** Says that no preset is wanted, not even the default one. */
const none = "none";

/**
 * The version's preset of that name; without a name its default one, unless the given parameters contradict it.
 * Throws `UsageError` for an unknown name.
 */
export async function choosePreset(
  version: string,
  name: string | undefined,
  given: readonly BuildParameter[],
  { client, signal }: Reading,
): Promise<Preset | undefined> {
  if (name === none) return undefined;
  const params = { version };
  const presets = await client.call(listTemplateVersionPresets, { params, signal });
  if (name === undefined) {
    return presets.find((preset) => preset.Default && !contradicts(preset, given));
  }
  const found = presets.find((preset) => preset.Name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const names = [...presets.map((preset) => preset.Name), none].join(", ");
  throw new UsageError(
    `--preset names "${name}", which the template does not have: wanted one of ${names}`,
  );
}

/** Whether a given value differs from the one of the preset. */
export function contradicts({ Parameters }: Preset, given: readonly BuildParameter[]): boolean {
  return given.some(({ name, value }) =>
    Parameters.some((parameter) => parameter.Name === name && parameter.Value !== value),
  );
}

/** What a preset sets, in the words of requests. */
export function presetValues({ Parameters }: Pick<Preset, "Parameters">): BuildParameter[] {
  return Parameters.map(({ Name, Value }) => ({ name: Name, value: Value }));
}
