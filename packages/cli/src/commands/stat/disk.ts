import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { prefixFlag, printQuantity } from "./quantity.ts";
import { disk } from "./usage.ts";

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

export async function run(
  options: OptionsOf<typeof command>,
  { terminal }: Pick<Needs, "terminal">,
): Promise<number> {
  return printQuantity(terminal, await disk(options.path ?? "/"), options);
}
