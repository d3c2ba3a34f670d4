import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { prefixFlag } from "../prefix-flag.ts";

export const command = defineCommand({
  name: "stat disk",
  summary: "show how full a file system is",
  arguments: {},
  flags: {
    path: { kind: "text", value: "path", summary: "which one holds it; / unless given" },
    prefix: prefixFlag,
    output: outputFlag,
  },
  examples: [{ line: 'slipway stat disk --path "$HOME"', summary: "33.5/252 GiB (13%)" }],
});
