import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { setPaused } from "../../resources/prebuilds/set-paused.ts";

export const command = defineCommand({
  summary: "pause the creation and deletion of prebuilds",
  description:
    "Pause the creation and deletion of prebuilds. Waiting prebuilds can still be claimed; without one, a " +
    "workspace is built. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds pause", summary: "pause all pools" }],
});

export async function run(
  _options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const isNew = await setPaused(true, needs);
  needs.terminal.err.line(isNew ? "prebuilds are paused" : "prebuilds are already paused");
  return exitCodes.ok;
}
