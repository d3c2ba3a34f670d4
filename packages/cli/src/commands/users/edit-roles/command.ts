import { roleNames } from "@slipway/api";

import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../../command/flags.ts";
import { userArgument } from "../argument.ts";

export const command = defineCommand({
  name: "users edit-roles",
  summary: "set the roles of a user",
  description: `Roles that are not given are taken away. There are ${roleNames.join(", ")}; member is what everybody is.`,
  arguments: { user: userArgument },
  flags: {
    yes: needlessYesFlag,
    roles: {
      kind: "list",
      value: "role",
      completes: roleNames,
      summary: "a role, or several with commas; repeatable",
    },
    output: outputFlag,
  },
  examples: [
    { line: "slipway users edit-roles ada --roles template-admin,auditor", summary: "two roles" },
    { line: "slipway users edit-roles ada --roles member", summary: "none" },
  ],
});
