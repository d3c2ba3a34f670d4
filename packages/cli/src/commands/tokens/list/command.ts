import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "tokens list",
  summary: "list API tokens",
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "those of all users, as an owner" },
    includeExpired: { kind: "switch", summary: "those too that have ended" },
    output: outputFlag,
  },
  examples: [{ line: "slipway tokens list", summary: "name, owner, last use and end" }],
});
