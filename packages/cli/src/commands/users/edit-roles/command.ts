import { roleNames } from "@slipway/api";

import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../../command/flags.ts";
import { userArgument } from "../../../resources/users/argument.ts";

export const command = defineCommand({
  summary: "set the roles of a user",
  description: `Set the roles of a user, and remove those that are not given. Roles: ${roleNames.join(", ")}; every user is a member.`,
  arguments: { user: userArgument },
  flags: {
    yes: needlessYesFlag,
    roles: {
      kind: "list",
      value: "role",
      completes: roleNames,
      summary: "role to set; comma-separated or repeated",
    },
    output: outputFlag,
  },
  examples: [
    { line: "slipway users edit-roles ada --roles template-admin,auditor", summary: "two roles" },
    { line: "slipway users edit-roles ada --roles member", summary: "no roles" },
  ],
});
