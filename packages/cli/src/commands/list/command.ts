import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import { workspaceColumnNames } from "./column-names.ts";

export const command = defineCommand({
  name: "list",
  summary: "list workspaces",
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "everybody's that you may see, not only yours" },
    search: {
      kind: "text",
      value: "query",
      summary: "those that match, such as 'owner:me template:small status:running'",
    },
    column: columnFlag(workspaceColumnNames, [
      "workspace",
      "template",
      "status",
      "healthy",
      "last built",
      "outdated",
    ]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway list", summary: "yours" },
    { line: "slipway list --search status:running", summary: "everybody's that run" },
    { line: "slipway list -c workspace,status", summary: "two columns" },
    { line: "slipway list -o json", summary: "for programs" },
  ],
});
