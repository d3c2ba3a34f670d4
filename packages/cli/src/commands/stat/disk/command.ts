import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { prefixFlag } from "../../../machine/prefix-flag.ts";

export const command = defineCommand({
  summary: "show disk usage of a file system",
  arguments: {},
  flags: {
    path: { kind: "text", value: "path", summary: "path on the file system (default: /)" },
    prefix: prefixFlag,
    output: outputFlag,
  },
  examples: [{ line: 'slipway stat disk --path "$HOME"', summary: "33.5/252 GiB (13%)" }],
});
