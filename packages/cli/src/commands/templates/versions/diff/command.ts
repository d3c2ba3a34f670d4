import { defineCommand } from "../../../../command/definition.ts";
import { outputFlag } from "../../../../command/flags.ts";
import { templateArgument } from "../../arguments.ts";

export const command = defineCommand({
  name: "templates versions diff",
  summary: "show what changed in slipway.yaml between two versions",
  description:
    "Shows a unified diff. With one version: what it changed of the one before. Without: what the newest one changed.",
  arguments: {
    template: templateArgument,
    from: { summary: "the version to compare with", required: false, completes: "version" },
    to: { summary: "the version to look at", required: false, completes: "version" },
  },
  flags: { output: outputFlag },
  examples: [
    { line: "slipway templates versions diff small", summary: "the newest and the one before" },
    { line: "slipway templates versions diff small v1 v3", summary: "two versions" },
  ],
});
