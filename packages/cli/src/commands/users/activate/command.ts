import { activateUser } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import { ignoredYesFlag, outputFlag } from "../../../command/flags.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { printList } from "../../../command/print-list.ts";
import { userArgument } from "../../../resources/users/user-argument.ts";
import { changedUserColumnFlag, userColumns } from "../../../resources/users/user-columns.ts";

export const command = defineCommand({
  summary: "activate a suspended or dormant user",
  aliases: ["active"],
  arguments: { user: userArgument },
  flags: { yes: ignoredYesFlag, column: changedUserColumnFlag, output: outputFlag },
  examples: [{ line: "slipway users activate ada", summary: "let ada log in again" }],
});

export async function run(
  { user: reference, output, column }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const params = { user: reference };
  const user = await connect(settings).call(activateUser, { params, signal });
  const { err, out } = terminal;
  if (output === "json") printJson(out, user);
  else err.line(err.colors.green(`${user.username} is active`));
  if (output === "text" && column.length > 0) {
    const columns = userColumns(clock.now());
    return printList(terminal, [user], { output, column }, { columns, none: "" });
  }
  return exitCodes.ok;
}
