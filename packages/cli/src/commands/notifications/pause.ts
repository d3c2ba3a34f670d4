import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { setNotifierPaused } from "../../resources/accounts/notifications.ts";

export const command = defineCommand({
  summary: "pause the delivery of notifications",
  description:
    "Pause notifications for everybody. Those that come meanwhile are delivered when notifications are resumed. " +
    "Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway notifications pause", summary: "pause all notifications" }],
});

export async function run(
  _options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const isNew = await setNotifierPaused(true, needs);
  needs.terminal.err.line(isNew ? "notifications are paused" : "notifications are already paused");
  return exitCodes.ok;
}
