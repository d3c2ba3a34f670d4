import { printableLine } from "@slipway/runtime";

import { displayWidth, widestWord, wrapWords } from "./display-width.ts";
import type { Layout } from "./output.ts";

/** A cell: its text, and a style that is applied once its width is known. */
export type Cell = string | { readonly text: string; readonly style: (text: string) => string };

const gap = "  ";

/**
 * Renders a table: headings, then the rows. If the terminal is too narrow, cells wrap between words; if even that does
 * not fit, each row becomes lines of `HEADING  cell`.
 */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  layout: Layout,
): string[] {
  const { colors, columns } = layout;
  const heading = headings.map((text) => ({ text, style: colors.bold }));
  const lines = [heading, ...rows];
  const texts = headings.map((_, index) => lines.map((row) => textOf(row[index] ?? "")));
  const natural = texts.map((column) => Math.max(...column.map(displayWidth)));
  const available = (columns ?? Infinity) - gap.length * (headings.length - 1);
  if (sum(natural) <= available) return lines.flatMap((row) => renderRow(row, natural));
  const smallest = texts.map((column) => Math.max(...column.map(widestWord)));
  if (sum(smallest) > available) return renderRecords(headings, rows, layout);
  const widths = fittedWidths(natural, smallest, available);
  return lines.flatMap((row) => renderRow(row, widths));
}

/** The cells of an item, by column name. */
export type Columns<T, N extends string> = Readonly<Record<N, (item: T) => Cell>>;

/** Renders a table of items with the requested columns, each headed by its name. */
export function renderColumns<T, N extends string>(
  columns: Columns<T, N>,
  wanted: readonly N[],
  items: readonly T[],
  layout: Layout,
): string[] {
  const rows = items.map((item) => wanted.map((name) => columns[name](item)));
  return renderTable(
    wanted.map((name) => name.toUpperCase()),
    rows,
    layout,
  );
}

/** Renders lines of `name  value` with the values aligned; a long value wraps between words. */
export function renderPairs(
  pairs: readonly (readonly [string, Cell])[],
  { colors, columns = Infinity }: Layout,
): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => displayWidth(name)));
  return pairs.flatMap(([name, cell]) => {
    const lines = wrapWords(textOf(cell), columns - width - gap.length).map(styleOf(cell));
    return lines.map((line, index) =>
      `${index === 0 ? colors.dim(pad(name, width)) : pad("", width)}${gap}${line}`.trimEnd(),
    );
  });
}

/** Renders each row as separate lines, with an empty line between rows. */
function renderRecords(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  layout: Layout,
): string[] {
  return rows.flatMap((row, index) => {
    const pairs = headings.map((name, column) => [name, row[column] ?? ""] as const);
    return [...(index === 0 ? [] : [""]), ...renderPairs(pairs, layout)];
  });
}

/** Fits columns into the available width: none becomes narrower than its widest word, and the widest shrink first. */
function fittedWidths(
  natural: readonly number[],
  smallest: readonly number[],
  available: number,
): number[] {
  const widthsUpTo = (most: number): number[] =>
    natural.map((width, index) => Math.max(smallest[index] ?? 0, Math.min(width, most)));
  let most = Math.max(...natural);
  while (most > 0 && sum(widthsUpTo(most)) > available) most -= 1;
  return widthsUpTo(most);
}

function renderRow(row: readonly Cell[], widths: readonly number[]): string[] {
  const cells = row.map((cell, index) => {
    const text = textOf(cell);
    const width = widths[index] ?? 0;
    // A cell that fits keeps its spaces.
    return displayWidth(text) <= width ? [text] : wrapWords(text, width);
  });
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const parts = row.map((cell, index) => {
      const text = cells[index]?.[line] ?? "";
      // The last column is not padded: spaces at the end of a line only wrap it.
      const padding =
        index === row.length - 1 ? 0 : Math.max(0, (widths[index] ?? 0) - displayWidth(text));
      return `${styleOf(cell)(text)}${" ".repeat(padding)}`;
    });
    return parts.join(gap).trimEnd();
  });
}

function textOf(cell: Cell): string {
  return printableLine(typeof cell === "string" ? cell : cell.text);
}

function styleOf(cell: Cell): (text: string) => string {
  const style = typeof cell === "string" ? undefined : cell.style;
  return (text) => (style === undefined || text === "" ? text : style(text));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}
