import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "schedule show",
  summary: "show when workspaces start and stop by themselves",
  arguments: {
    workspace: {
      summary: "name, owner/name or id of one; yours without it",
      required: false,
      completes: "workspace",
    },
  },
  flags: {
    all: { kind: "switch", short: "a", summary: "everybody's that you may see, not only yours" },
    search: { kind: "text", value: "query", summary: "those that match, as in: slipway list" },
    column: columnFlag(["workspace", "starts at", "starts next", "stops after", "stops next"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway schedule show", summary: "of your workspaces" },
    { line: "slipway schedule show demo -o json", summary: "of one, for programs" },
  ],
});
