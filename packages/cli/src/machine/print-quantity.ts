import { exitCodes } from "../command/exit-codes.ts";
import { printJson } from "../command/print-json.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type Prefix, type Quantity, quantityText } from "./quantity.ts";

/** Prints a measurement as a line, or as JSON in cores and bytes. */
export function printQuantity(
  { out }: Pick<Terminal, "out">,
  quantity: Quantity,
  { output, prefix = "Gi" }: { readonly output: "text" | "json"; readonly prefix?: Prefix },
): number {
  if (output === "json") printJson(out, quantity);
  else out.line(quantityText(quantity, prefix));
  return exitCodes.ok;
}
