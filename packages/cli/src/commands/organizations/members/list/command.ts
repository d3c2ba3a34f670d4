import { defineCommand } from "../../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../../command/flags.ts";

export const command = defineCommand({
  summary: "list the members of the organization",
  aliases: ["ls"],
  arguments: {},
  flags: {
    column: columnFlag(
      [
        "username",
        "name",
        "organization roles",
        "last seen at",
        "user id",
        "organization id",
        "user created at",
        "user updated at",
        "created at",
        "updated at",
      ],
      ["username", "name", "organization roles"],
    ),
    output: outputFlag,
  },
  examples: [{ line: "slipway organizations members list", summary: "all members you can see" }],
});
