import { activateUser } from "@slipway/api/users/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { ignoredYesFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import {
  changedUserColumnFlag,
  reportChangedUser,
  userArgument,
} from "../../resources/accounts/users.ts";

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
  return reportChangedUser(user, "active", { output, column }, { terminal, clock });
}
