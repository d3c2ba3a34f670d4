import type { BuildParameter } from "@slipway/api/builds/build";
import type { Preset } from "@slipway/api/templates/template-version";

import type { ClientNeeds } from "../../command/needs.ts";
import { withoutHidden } from "./hidden-values.ts";

/** Returns the values of a preset in the form of requests. */
export function presetValues({ Parameters }: Pick<Preset, "Parameters">): BuildParameter[] {
  return Parameters.map(({ Name, Value }) => ({ name: Name, value: Value }));
}

/** Returns the values of a version's preset in one line, without those that the version hides. */
export async function presetText(
  version: string,
  preset: Preset,
  needs: Pick<ClientNeeds, "client" | "signal">,
): Promise<string> {
  const values = await withoutHidden(version, presetValues(preset), needs);
  return values.map(({ name, value }) => `${name}=${value}`).join(", ");
}
