import { sendCustomNotification } from "@slipway/api/notifications/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { reportSent } from "../../resources/accounts/notifications.ts";

export const command = defineCommand({
  summary: "send yourself a notification with a title and a message",
  description:
    "Send yourself a notification with a title and a message, such as at the end of a long script.",
  arguments: {
    title: { summary: "title, of at most 120 characters", required: true, variadic: false },
    message: { summary: "message, of at most 2,000 characters", required: true, variadic: false },
  },
  flags: {},
  examples: [
    {
      line: 'slipway notifications custom "Tests" "All of them passed."',
      summary: "then read it with slipway inbox",
    },
  ],
});

export async function run(
  { title, message }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  await client.call(sendCustomNotification, { body: { content: { title, message } }, signal });
  await reportSent("a notification", client, terminal, signal);
  return exitCodes.ok;
}
