import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "stat cpu",
  summary: "show how much of the processors is used, in cores",
  arguments: {},
  flags: {
    host: { kind: "switch", summary: "of the whole machine, also in a container" },
    output: outputFlag,
  },
  examples: [{ line: "slipway stat cpu", summary: "0.8/4 cores (20%)" }],
});
