import { sendTestNotification } from "@slipway/api/notifications/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { reportSent } from "../../resources/accounts/notifications.ts";

export const command = defineCommand({
  summary: "send yourself a test notification",
  description:
    "Send yourself a test notification, which shows whether notifications arrive. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway notifications test", summary: "then read it with slipway inbox" }],
});

export async function run(
  _options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  await client.call(sendTestNotification, { signal });
  await reportSent("a test notification", client, terminal, signal);
  return exitCodes.ok;
}
