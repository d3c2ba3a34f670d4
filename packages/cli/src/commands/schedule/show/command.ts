import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "show when workspaces start and stop automatically",
  arguments: {
    workspace: {
      summary: "name, owner/name or id of a workspace (default: all of yours)",
      required: false,
      completes: "workspace",
    },
  },
  flags: {
    all: { kind: "switch", short: "a", summary: "include other users' workspaces" },
    search: {
      kind: "text",
      value: "query",
      summary: "only workspaces that match, as in: slipway list",
    },
    column: columnFlag(["workspace", "starts at", "starts next", "stops after", "stops next"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway schedule show", summary: "your workspaces" },
    { line: "slipway schedule show demo -o json", summary: "one workspace, as JSON" },
  ],
});
