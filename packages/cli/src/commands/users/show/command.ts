import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { userArgument } from "../../../resources/users/argument.ts";

export const command = defineCommand({
  summary: "show a user",
  arguments: { user: userArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway users show ada", summary: "email, roles and status" }],
});
