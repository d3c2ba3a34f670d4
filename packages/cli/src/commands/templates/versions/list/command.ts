import { defineCommand } from "../../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../../command/flags.ts";
import { templateArgument } from "../../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "list the versions of a template, newest first",
  aliases: ["ls"],
  arguments: { template: templateArgument },
  flags: {
    includeArchived: { kind: "switch", summary: "include archived versions" },
    column: columnFlag(
      ["name", "status", "created at", "created by", "message", "active", "archived", "id"],
      ["name", "status", "created at", "created by", "message"],
    ),
    output: outputFlag,
  },
  examples: [{ line: "slipway templates versions list small", summary: "name, state and message" }],
});
