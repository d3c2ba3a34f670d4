import { printableText } from "@slipway/runtime";

import type { Colors } from "./colors.ts";

/** Returns a line of a unified diff in its colors; the line itself has none. */
export function diffLine(line: string, colors: Colors): string {
  const text = printableText(line, { colors: false });
  if (/^(\+\+\+|---) /.test(text)) return colors.bold(text);
  if (text.startsWith("@@")) return colors.dim(text);
  if (text.startsWith("+")) return colors.green(text);
  return text.startsWith("-") ? colors.red(text) : text;
}
