import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import {
  usualWorkspaceColumns,
  workspaceColumnNames,
} from "../../resources/workspaces/workspace-columns.ts";

export const command = defineCommand({
  summary: "list workspaces",
  aliases: ["ls"],
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "include other users' workspaces" },
    search: {
      kind: "text",
      value: "query",
      summary: "only workspaces that match, such as 'owner:me template:small status:running'",
    },
    column: columnFlag(workspaceColumnNames, usualWorkspaceColumns),
    output: outputFlag,
  },
  examples: [
    { line: "slipway list", summary: "your workspaces" },
    { line: "slipway list --search status:running", summary: "all running workspaces" },
    { line: "slipway list -c workspace,status", summary: "only two columns" },
    { line: "slipway list -o json", summary: "as JSON" },
  ],
});
