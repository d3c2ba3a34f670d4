import { cleanLine } from "./clean.ts";
import type { Colors } from "./colors.ts";

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
  return pairs.map(([name, value]) => `${colors.dim(pad(name, width))}${gap}${cleanLine(value)}`);
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
  return cleanLine(typeof cell === "string" ? cell : cell.text);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Columns that a terminal gives to the text: two for a wide character, none for a mark on the one before. */
function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/^\p{Mark}|\u200d|\ufe0f$/u.test(char)) continue;
    width +=
      /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}$/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}
