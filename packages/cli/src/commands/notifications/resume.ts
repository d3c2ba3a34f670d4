import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { setNotifierPaused } from "../../resources/accounts/notifications.ts";

export const command = defineCommand({
  summary: "resume the delivery of notifications",
  description:
    "Resume notifications after slipway notifications pause, and deliver those that came meanwhile. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway notifications resume", summary: "resume all notifications" }],
});

export async function run(
  _options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const isNew = await setNotifierPaused(false, needs);
  needs.terminal.err.line(isNew ? "notifications are resumed" : "notifications are not paused");
  return exitCodes.ok;
}
