import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { tokenColumnFlag } from "../../../resources/tokens/columns.ts";

export const command = defineCommand({
  summary: "list API tokens",
  aliases: ["ls"],
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "include other users' tokens (owners only)" },
    includeExpired: { kind: "switch", summary: "include expired tokens" },
    column: tokenColumnFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway tokens list", summary: "name, owner, last use and expiry" }],
});
