import type { BuildParameter } from "@slipway/api/builds/build";
import type { Preset } from "@slipway/api/templates/template-version";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";

import { UsageError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { presetText } from "../../resources/templates/preset-values.ts";
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
  version: string,
  { name, given, ask }: WantedPreset,
  needs: PromptNeeds,
): Promise<Preset | undefined> {
  if (name === none) return undefined;
  const { client, terminal, signal } = needs;
  const params = { version };
  const presets = await client.call(listTemplateVersionPresets, { params, signal });
  if (name === undefined) {
    const defaultPreset = presets.find((preset) => preset.Default && !contradicts(preset, given));
    const isAsked = ask && terminal.interactive && presets.length > 0;
    return isAsked ? askPreset(presets, defaultPreset, version, needs) : defaultPreset;
  }
  const found = findPreset(presets, name);
  if (found !== undefined) return found;
  const names = [...presets.map((preset) => preset.Name), none].join(", ");
  throw new UsageError(
    `--preset is "${name}", which the template does not have: wanted one of ${names}`,
  );
}

/** Finds a preset by its name, or by the name that people see if no other has that. */
export function findPreset(presets: readonly Preset[], text: string): Preset | undefined {
  const isMeant = (name: string): boolean => name.toLowerCase() === text.toLowerCase();
  const named = presets.find(({ Name }) => isMeant(Name));
  if (named !== undefined) return named;
  const [first, ...more] = presets.filter((preset) => isMeant(presetTitle(preset)));
  return more.length === 0 ? first : undefined;
}

function presetTitle({ DisplayName, Name }: Preset): string {
  return DisplayName || Name;
}

async function askPreset(
  presets: readonly Preset[],
  defaultPreset: Preset | undefined,
  version: string,
  needs: PromptNeeds,
): Promise<Preset | undefined> {
  const choices: Choice[] = [];
  for (const preset of presets) {
    const title = presetTitle(preset);
    choices.push({
      value: preset.ID,
      label: preset.Default ? `${title} (default)` : title,
      hint: preset.Description.split("\n")[0] || (await presetText(version, preset, needs)),
    });
  }
  choices.push({ value: none, label: none, hint: "choose each parameter" });
  const id = await needs.terminal.prompts.select("Preset", choices, defaultPreset?.ID ?? none);
  return presets.find((preset) => preset.ID === id);
}

/** Returns whether a given value differs from the one of the preset. */
export function contradicts({ Parameters }: Preset, given: readonly BuildParameter[]): boolean {
  return given.some(({ name, value }) =>
    Parameters.some((parameter) => parameter.Name === name && parameter.Value !== value),
  );
}
