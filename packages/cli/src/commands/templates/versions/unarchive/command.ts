import { defineCommand } from "../../../../command/definition.ts";
import { needlessYesFlag } from "../../../../command/flags.ts";
import { templateArgument, versionArgument } from "../../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "unarchive a version",
  arguments: { template: templateArgument, version: versionArgument },
  flags: { yes: needlessYesFlag },
  examples: [
    {
      line: "slipway templates versions unarchive small v2",
      summary: "unarchive version v2 of small",
    },
  ],
});
