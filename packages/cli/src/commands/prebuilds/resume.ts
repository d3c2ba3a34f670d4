import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { setPaused } from "./pause.ts";

export const command = defineCommand({
  summary: "resume the creation and deletion of prebuilds",
  description:
    "Resume the creation and deletion of prebuilds after slipway prebuilds pause. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds resume", summary: "resume all pools" }],
});

export async function run(
  _options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const isNew = await setPaused(false, needs);
  needs.terminal.err.line(isNew ? "prebuilds are resumed" : "prebuilds are not paused");
  return exitCodes.ok;
}
