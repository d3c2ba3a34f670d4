import type { OptionsOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { disk } from "../../../machine/machine.ts";
import { printQuantity } from "../../../machine/print-quantity.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal }: Pick<Needs, "terminal">,
): Promise<number> {
  return printQuantity(terminal, await disk(options.path ?? "/"), options);
}
