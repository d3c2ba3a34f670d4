import { printableJson } from "@slipway/runtime";

import type { Output } from "../terminal/output.ts";

/** Prints a result for programs: one document, which is the same when it is read on a terminal. */
export function printJson(output: Output, value: unknown): void {
  output.line(printableJson(JSON.stringify(value, undefined, 2)));
}
