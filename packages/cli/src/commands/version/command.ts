import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "show the version of this program",
  arguments: {},
  flags: { output: outputFlag },
  examples: [
    { line: "slipway version", summary: "as text" },
    { line: "slipway version -o json", summary: "as JSON" },
  ],
});
