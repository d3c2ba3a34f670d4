import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { tokenColumnFlag } from "../columns.ts";

export const command = defineCommand({
  name: "tokens list",
  summary: "list API tokens",
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "those of all users, as an owner" },
    includeExpired: { kind: "switch", summary: "those too that have ended" },
    column: tokenColumnFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway tokens list", summary: "name, owner, last use and end" }],
});
