import { defineCommand } from "../../../../command/definition.ts";
import { outputFlag } from "../../../../command/flags.ts";
import { templateArgument } from "../../arguments.ts";

export const command = defineCommand({
  name: "templates presets list",
  summary: "list the presets of a template",
  arguments: { template: templateArgument },
  flags: {
    version: { kind: "text", value: "name", summary: "of another version than the active one" },
    output: outputFlag,
  },
  examples: [{ line: "slipway templates presets list small", summary: "and what they set" }],
});
