import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../../command/flags.ts";
import { templateArgument } from "../arguments.ts";

export const command = defineCommand({
  name: "templates archive",
  summary: "hide the versions of a template that failed or that nothing uses",
  arguments: { template: templateArgument },
  flags: {
    yes: needlessYesFlag,
    all: { kind: "switch", summary: "also versions that could be used; only those that are stay" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway templates archive small", summary: "the versions that failed" },
    { line: "slipway templates archive small --all", summary: "all that nothing uses" },
  ],
});
