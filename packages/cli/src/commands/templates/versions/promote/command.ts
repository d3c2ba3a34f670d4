import { defineCommand } from "../../../../command/definition.ts";
import { templateArgument, versionArgument } from "../../arguments.ts";

export const command = defineCommand({
  name: "templates versions promote",
  summary: "make a version the one that workspaces are made from",
  arguments: { template: templateArgument, version: versionArgument },
  flags: {},
  examples: [
    { line: "slipway templates versions promote small v2", summary: "the version v2 of small" },
  ],
});
