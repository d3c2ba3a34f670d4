import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printQuantity } from "./quantity.ts";
import { containerCpu, hostCpu } from "./usage.ts";

export const command = defineCommand({
  summary: "show processor usage, in cores",
  arguments: {},
  flags: {
    host: { kind: "switch", summary: "show the whole machine, even in a container" },
    output: outputFlag,
  },
  examples: [{ line: "slipway stat cpu", summary: "0.8/4 cores (20%)" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, clock, signal }: Pick<Needs, "terminal" | "clock" | "signal">,
): Promise<number> {
  const needs = { clock, signal };
  const container = options.host ? null : await containerCpu("/", needs);
  return printQuantity(terminal, container ?? (await hostCpu(needs)), options);
}
