import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { prefixFlag } from "../../../machine/prefix-flag.ts";

export const command = defineCommand({
  summary: "show memory usage",
  arguments: {},
  flags: {
    host: { kind: "switch", summary: "show the whole machine, even in a container" },
    prefix: prefixFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway stat mem", summary: "1.2/8 GiB (15%)" },
    { line: "slipway stat mem --prefix Mi -o json", summary: "as JSON, in bytes" },
  ],
});
