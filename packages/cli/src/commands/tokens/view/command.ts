import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { tokenArgument } from "../../../resources/tokens/argument.ts";
import { tokenColumnFlag } from "../../../resources/tokens/columns.ts";

export const command = defineCommand({
  summary: "show an API token, without its secret",
  arguments: { token: tokenArgument },
  flags: { column: tokenColumnFlag, output: outputFlag },
  examples: [{ line: "slipway tokens view ci", summary: "its scopes and expiry" }],
});
