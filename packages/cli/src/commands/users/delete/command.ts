import { defineCommand } from "../../../command/definition.ts";
import { yesFlag } from "../../../command/flags.ts";
import { userArgument } from "../../../resources/users/argument.ts";

export const command = defineCommand({
  summary: "delete a user who has no workspaces",
  aliases: ["rm"],
  arguments: { user: userArgument },
  flags: { yes: yesFlag },
  examples: [{ line: "slipway users delete ada", summary: "ask for confirmation" }],
});
