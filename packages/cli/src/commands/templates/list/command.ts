import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "templates list",
  summary: "list templates",
  arguments: {},
  flags: { output: outputFlag },
  examples: [{ line: "slipway templates list", summary: "name, description and use" }],
});
