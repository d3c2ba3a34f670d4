import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { prefixFlag, printQuantity } from "./quantity.ts";
import { containerMemory, hostMemory } from "./usage.ts";

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

export async function run(
  options: OptionsOf<typeof command>,
  { terminal }: Pick<Needs, "terminal">,
): Promise<number> {
  const container = options.host ? null : await containerMemory("/");
  return printQuantity(terminal, container ?? hostMemory(), options);
}
