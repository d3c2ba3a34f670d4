import { deleteUser, getUser } from "@slipway/api/users/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { yesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { userArgument } from "../../resources/accounts/users.ts";

export const command = defineCommand({
  summary: "delete a user who has no workspaces",
  aliases: ["rm"],
  arguments: { user: userArgument },
  flags: { yes: yesFlag },
  examples: [{ line: "slipway users delete ada", summary: "ask for confirmation" }],
});

export async function run(
  { user: reference, yes }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  if (!yes && !terminal.interactive) {
    throw new UsageError("not a terminal: pass --yes to confirm");
  }
  const { id, username } = await client.call(getUser, { params: { user: reference }, signal });
  if (!yes && !(await terminal.prompts.confirm(`Delete user ${username}?`))) {
    throw new CommandError("no user was deleted");
  }
  await client.call(deleteUser, { params: { user: id }, signal });
  terminal.err.line(terminal.err.colors.green(`user ${username} is deleted`));
  return exitCodes.ok;
}
