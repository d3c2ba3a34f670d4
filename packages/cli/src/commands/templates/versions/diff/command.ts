import { defineCommand } from "../../../../command/definition.ts";
import { outputFlag } from "../../../../command/flags.ts";
import { templateArgument } from "../../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "show what changed in slipway.yaml between two versions",
  description:
    "Show a unified diff of slipway.yaml. With one version, compare it with its predecessor; without any, compare " +
    "the newest version with its predecessor.",
  arguments: {
    template: templateArgument,
    from: { summary: "version to compare with", required: false, completes: "version" },
    to: { summary: "version to show", required: false, completes: "version" },
  },
  flags: { output: outputFlag },
  examples: [
    {
      line: "slipway templates versions diff small",
      summary: "the newest version and its predecessor",
    },
    { line: "slipway templates versions diff small v1 v3", summary: "two versions" },
  ],
});
