import { defineCommand } from "../../../command/definition.ts";
import { tokenArgument } from "../../../resources/tokens/argument.ts";

export const command = defineCommand({
  summary: "revoke an API token",
  aliases: ["delete", "rm"],
  arguments: { token: tokenArgument },
  flags: {
    delete: { kind: "switch", summary: "also delete it, which frees its name" },
  },
  examples: [{ line: "slipway tokens remove ci", summary: "keep it among the expired tokens" }],
});
