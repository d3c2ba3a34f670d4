import { printableJson } from "@slipway/runtime";

import type { Output } from "../terminal/output.ts";

/** Prints a result as one JSON document, the same on a terminal as elsewhere. */
export function printJson(output: Output, value: unknown): void {
  output.line(printableJson(JSON.stringify(value, undefined, 2)));
}
