import { exitCodes } from "../../command/exit-codes.ts";
import type { ChoiceFlag } from "../../command/flags.ts";
import { printJson } from "../../command/print-result.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** Usage of a resource. */
export interface Quantity {
  /** Null without a limit. */
  readonly total: number | null;
  readonly unit: "cores" | "B";
  readonly used: number;
}

const prefixBytes = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 } as const;

/** Units for bytes. */
export type Prefix = keyof typeof prefixBytes;

/** Formats usage as `0.8/4 cores (20%)`, or `1.2 GiB` without a limit (docs/protocol/agent.md §9.5). */
export function quantityText({ used, total, unit }: Quantity, prefix: Prefix): string {
  const size = unit === "B" ? prefixBytes[prefix] : 1;
  const name = unit === "B" ? `${prefix}B` : unit;
  if (total === null || total <= 0) return `${shortNumber(used / size)} ${name}`;
  const percent = Math.round((used / total) * 100);
  return `${shortNumber(used / size)}/${shortNumber(total / size)} ${name} (${percent}%)`;
}

/** Formats a number with about three digits, without insignificant zeros. */
function shortNumber(value: number): string {
  const digits = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return String(Number(value.toFixed(digits)));
}

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

/** `--prefix` of commands that print bytes. */
export const prefixFlag = {
  kind: "choice",
  choices: ["Gi", "Ki", "Mi", "Ti"],
  summary: "unit for bytes",
} as const satisfies ChoiceFlag;
