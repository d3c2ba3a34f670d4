import type { BuildParameter } from "@slipway/api/builds/build";
import type { Preset } from "@slipway/api/templates/template-version";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";

import { UsageError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import type { ParameterForm } from "../../resources/templates/parameter-form.ts";
import type { Choice } from "../../terminal/prompts.ts";

type PromptNeeds = Pick<ClientNeeds, "client" | "terminal" | "signal">;

/** Preset options from the command line. */
interface WantedPreset {
  readonly name: string | undefined;
  /** Values that the preset must not contradict, unless it is named. */
  readonly given: readonly BuildParameter[];
  /** True if prompting is allowed. */
  readonly ask: boolean;
}

/** The name that stands for no preset, not even the default one. */
const none = "none";

/**
 * Finds the version's preset by name; without a name, the one chosen at a prompt, or the default one unless the given
 * parameters contradict it. Throws `UsageError` for an unknown name.
 */
export async function choosePreset(
  form: ParameterForm,
  { name, given, ask }: WantedPreset,
  { client, terminal, signal }: PromptNeeds,
): Promise<Preset | undefined> {
  if (name === none) return undefined;
  const params = { version: form.version };
  const presets = await client.call(listTemplateVersionPresets, { params, signal });
  if (name === undefined) {
    const defaultPreset = presets.find((preset) => preset.Default && !contradicts(preset, given));
    const isAsked = ask && terminal.interactive && presets.length > 0;
    return isAsked ? askPreset(presets, defaultPreset, form, terminal) : defaultPreset;
  }
  const found = presets.find((preset) => preset.Name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const names = [...presets.map((preset) => preset.Name), none].join(", ");
  throw new UsageError(
    `--preset is "${name}", which the template does not have: wanted one of ${names}`,
  );
}

async function askPreset(
  presets: readonly Preset[],
  defaultPreset: Preset | undefined,
  form: ParameterForm,
  { prompts }: PromptNeeds["terminal"],
): Promise<Preset | undefined> {
  const choices: Choice[] = [];
  for (const preset of presets) {
    choices.push({
      value: preset.ID,
      label: preset.Default ? `${preset.Name} (default)` : preset.Name,
      hint: preset.Description.split("\n")[0] || (await valuesText(preset, form)),
    });
  }
  choices.push({ value: none, label: none, hint: "choose each parameter" });
  const id = await prompts.select("Preset", choices, defaultPreset?.ID ?? none);
  return presets.find((preset) => preset.ID === id);
}

/** Returns the values of a preset in one line, without those that the template hides. */
async function valuesText(preset: Preset, form: ParameterForm): Promise<string> {
  const values = presetValues(preset);
  const readable = await form.readable(new Map(values.map(({ name, value }) => [name, value])));
  return values
    .map(({ name, value }) => `${name}=${readable.has(name) ? value : "(hidden)"}`)
    .join(", ");
}

/** Returns whether a given value differs from the one of the preset. */
export function contradicts({ Parameters }: Preset, given: readonly BuildParameter[]): boolean {
  return given.some(({ name, value }) =>
    Parameters.some((parameter) => parameter.Name === name && parameter.Value !== value),
  );
}

/** Returns the values of a preset in the form of requests. */
export function presetValues({ Parameters }: Pick<Preset, "Parameters">): BuildParameter[] {
  return Parameters.map(({ Name, Value }) => ({ name: Name, value: Value }));
}
