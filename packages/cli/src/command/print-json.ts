import type { Output } from "../terminal/output.ts";

/** Prints a result for programs: one document. */
export function printJson(output: Output, value: unknown): void {
  output.line(JSON.stringify(value, undefined, 2));
}
