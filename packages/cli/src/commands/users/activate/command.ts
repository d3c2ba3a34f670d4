import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { userArgument } from "../../../resources/users/argument.ts";

export const command = defineCommand({
  summary: "activate a suspended or dormant user",
  aliases: ["active"],
  arguments: { user: userArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway users activate ada", summary: "let ada log in again" }],
});
