import { suspendUser } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import { outputFlag } from "../../../command/flags.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { userArgument } from "../../../resources/users/user-argument.ts";

export const command = defineCommand({
  summary: "suspend a user until reactivated",
  arguments: { user: userArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway users suspend ada", summary: "suspend ada" }],
});

export async function run(
  { user: reference, output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const params = { user: reference };
  const user = await connect(settings).call(suspendUser, { params, signal });
  const { err, out } = terminal;
  if (output === "json") printJson(out, user);
  else err.line(err.colors.green(`${user.username} is suspended`));
  return exitCodes.ok;
}
