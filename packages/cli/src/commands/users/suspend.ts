import { suspendUser } from "@slipway/api/users/routes";

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
  summary: "suspend a user until reactivated",
  arguments: { user: userArgument },
  flags: { yes: ignoredYesFlag, column: changedUserColumnFlag, output: outputFlag },
  examples: [{ line: "slipway users suspend ada", summary: "suspend ada" }],
});

export async function run(
  { user: reference, output, column }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const params = { user: reference };
  const user = await connect(settings).call(suspendUser, { params, signal });
  return reportChangedUser(user, "suspended", { output, column }, { terminal, clock });
}
