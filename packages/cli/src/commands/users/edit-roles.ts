import { updateUserRoles } from "@slipway/api/users/routes";
import { type RoleName, roleNames } from "@slipway/api/users/user";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { rolesCell, userArgument } from "../../resources/accounts/users.ts";

export const command = defineCommand({
  summary: "set the roles of a user",
  description: `Set the roles of a user, and remove those that are not given. Roles: ${roleNames.join(", ")}; every user is a member.`,
  arguments: { user: userArgument },
  flags: {
    yes: ignoredYesFlag,
    roles: {
      kind: "list",
      value: "role",
      completion: roleNames,
      summary: "role to set; comma-separated or repeated",
    },
    output: outputFlag,
  },
  examples: [
    { line: "slipway users edit-roles ada --roles template-admin,auditor", summary: "two roles" },
    { line: "slipway users edit-roles ada --roles member", summary: "no roles" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const roles = options.roles.flatMap((names) => names.split(",")).map(readRole);
  if (roles.length === 0) {
    throw new UsageError("no role given", `pass one or more: --roles ${roleNames.join(", ")}`);
  }
  const params = { user: options.user };
  const user = await connect(settings).call(updateUserRoles, { params, body: { roles }, signal });
  const { err, out } = terminal;
  if (options.output === "json") printJson(out, user);
  else err.line(err.colors.green(`${user.username} now has the roles: ${rolesCell(user)}`));
  return exitCodes.ok;
}

function readRole(text: string): RoleName {
  const role = roleNames.find((name) => name === text.trim());
  if (role !== undefined) return role;
  throw new UsageError(`unknown role "${text}"`, `wanted one or more of ${roleNames.join(", ")}`);
}
