import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { userArgument } from "../../../resources/users/argument.ts";

export const command = defineCommand({
  summary: "suspend a user until reactivated",
  arguments: { user: userArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway users suspend ada", summary: "suspend ada" }],
});
