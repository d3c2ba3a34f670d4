import { printableLine } from "@slipway/runtime";

import type { Colors } from "./colors.ts";
import { displayWidth } from "./display-width.ts";

/** A cell: its text, and how it is set off once its width is known. */
export type Cell = string | { readonly text: string; readonly style: (text: string) => string };

const gap = "  ";

/** Lines of a table: headings, then a line a row, columns as wide as their widest cell. */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  colors: Colors,
): string[] {
  const widths = headings.map((heading, index) =>
    Math.max(displayWidth(heading), ...rows.map((row) => displayWidth(textOf(row[index] ?? "")))),
  );
  const heading = headings.map((text) => ({ text, style: colors.bold }));
  return [heading, ...rows].map((row) => renderRow(row, widths));
}

/** What a table shows of its items, by the name of the column. */
export type Columns<T, N extends string> = Readonly<Record<N, (item: T) => Cell>>;

/** Lines of a table of items with the columns that are wanted; each is headed by its name. */
export function renderColumns<T, N extends string>(
  columns: Columns<T, N>,
  wanted: readonly N[],
  items: readonly T[],
  colors: Colors,
): string[] {
  const rows = items.map((item) => wanted.map((name) => columns[name](item)));
  return renderTable(
    wanted.map((name) => name.toUpperCase()),
    rows,
    colors,
  );
}

/** Lines of `name  value` with the values below each other. */
export function renderPairs(
  pairs: readonly (readonly [string, string])[],
  colors: Colors,
): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => displayWidth(name)));
  return pairs.map(
    ([name, value]) => `${colors.dim(pad(name, width))}${gap}${printableLine(value)}`,
  );
}

function renderRow(row: readonly Cell[], widths: readonly number[]): string {
  const cells = row.map((cell, index) => {
    const text = textOf(cell);
    // The last column is not padded: spaces at the end of a line only wrap it.
    const padding =
      index === row.length - 1
        ? ""
        : " ".repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(text)));
    return `${typeof cell === "string" ? text : cell.style(text)}${padding}`;
  });
  return cells.join(gap).trimEnd();
}

function textOf(cell: Cell): string {
  return printableLine(typeof cell === "string" ? cell : cell.text);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}
