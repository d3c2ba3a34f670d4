import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  name: "list",
  summary: "list workspaces",
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "everybody's that you may see, not only yours" },
    search: {
      kind: "text",
      value: "query",
      summary: "only those that match, such as 'template:small status:running'",
    },
    output: outputFlag,
  },
  examples: [
    { line: "slipway list", summary: "yours" },
    { line: "slipway list --all --search status:running", summary: "everybody's that run" },
    { line: "slipway list -o json", summary: "for programs" },
  ],
});
