import { defineCommand } from "../../../../command/definition.ts";
import { needlessYesFlag } from "../../../../command/flags.ts";
import { templateArgument, versionArgument } from "../../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "archive an unused version",
  arguments: { template: templateArgument, version: versionArgument },
  flags: { yes: needlessYesFlag },
  examples: [
    { line: "slipway templates versions archive small v2", summary: "archive version v2 of small" },
  ],
});
