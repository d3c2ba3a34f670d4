import { printableJson } from "@slipway/runtime";

import type { Output } from "../terminal/output.ts";
import { type Columns, renderColumns } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { exitCodes } from "./exit-codes.ts";

/** Prints a result as one JSON document, whether or not the output is a terminal. */
export function printJson(output: Output, value: unknown): void {
  output.line(printableJson(JSON.stringify(value, undefined, 2)));
}

/** Values of the flags `--output` and `--column`. */
interface ListOptions<N extends string> {
  readonly output: "text" | "json";
  readonly column: readonly N[];
}

interface ListView<T, N extends string> {
  readonly columns: Columns<T, N>;
  /** The notice for an empty list. */
  readonly none: string;
}

/** Prints a list: as JSON, or as a table, or the notice that it is empty. */
export function printList<T, N extends string>(
  { out, err }: Pick<Terminal, "out" | "err">,
  items: readonly T[],
  { output, column }: ListOptions<N>,
  { columns, none }: ListView<T, N>,
): number {
  if (output === "json") printJson(out, items);
  else if (items.length === 0) err.line(none);
  else for (const line of renderColumns(columns, column, items, out)) out.line(line);
  return exitCodes.ok;
}
