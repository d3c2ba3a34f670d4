import { defineCommand } from "../../../command/definition.ts";
import { tokenArgument } from "../argument.ts";

export const command = defineCommand({
  name: "tokens remove",
  summary: "end an API token",
  arguments: { token: tokenArgument },
  flags: {
    delete: { kind: "switch", summary: "forget it too, which frees its name" },
  },
  examples: [
    { line: "slipway tokens remove ci", summary: "it stays in the list of those that ended" },
  ],
});
