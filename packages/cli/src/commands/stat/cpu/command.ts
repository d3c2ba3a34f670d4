import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "show processor usage, in cores",
  arguments: {},
  flags: {
    host: { kind: "switch", summary: "show the whole machine, even in a container" },
    output: outputFlag,
  },
  examples: [{ line: "slipway stat cpu", summary: "0.8/4 cores (20%)" }],
});
