import type { OptionsOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { containerCpu, hostCpu } from "../../../machine/machine.ts";
import { printQuantity } from "../../../machine/print-quantity.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, clock, signal }: Pick<Needs, "terminal" | "clock" | "signal">,
): Promise<number> {
  const watching = { clock, signal };
  const container = options.host ? null : await containerCpu("/", watching);
  return printQuantity(terminal, container ?? (await hostCpu(watching)), options);
}
