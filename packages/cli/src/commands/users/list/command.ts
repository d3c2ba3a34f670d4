import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "list users",
  aliases: ["ls"],
  arguments: {},
  flags: {
    search: {
      kind: "text",
      value: "query",
      summary: "part of the name or email, status:… or role:…",
    },
    column: columnFlag(
      [
        "username",
        "email",
        "roles",
        "status",
        "created at",
        "name",
        "last seen at",
        "updated at",
        "id",
      ],
      ["username", "email", "roles", "status", "created at"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway users list", summary: "all users you can see" },
    { line: 'slipway users list --search "status:suspended"', summary: "suspended users" },
  ],
});
