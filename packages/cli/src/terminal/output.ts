import { printableLine, printableText } from "@slipway/runtime";

import type { Colors } from "./colors.ts";
import { cut } from "./display-width.ts";

/** Colors and width for laying out text; an `Output` is one. */
export interface Layout {
  readonly colors: Colors;
  /** Width in characters; undefined if text is not wrapped. */
  readonly columns: number | undefined;
}

/**
 * A sink for text: one for results, another for messages. Most of the text comes from others, and a command need not
 * know which: only printable characters, line feeds, tabs and colors come out of it. Only this type can move the
 * cursor.
 */
export interface Output {
  readonly colors: Colors;
  readonly isTerminal: boolean;
  /** Width in characters; undefined if text is neither wrapped nor cut. */
  readonly columns: number | undefined;
  /** Writes text of any number of lines. */
  write(text: string): void;
  /** Writes text and ends the line. */
  line(text: string): void;
  /** Shows a text in the last line of a terminal until something else is written or shown; undefined removes it. */
  status(text: string | undefined): void;
}

const clearLine = "\r\u001b[2K";

/** Returns an output that passes on printable text. `columns` is called each time, as terminals change their width. */
export function createOutput(
  write: (text: string) => void,
  { colors, columns }: { readonly colors: Colors; readonly columns: (() => number) | undefined },
): Output {
  let hasStatus = false;
  const erase = (): void => {
    if (hasStatus) write(clearLine);
    hasStatus = false;
  };
  const print = (text: string): void => {
    erase();
    write(printableText(text, { colors: colors.enabled }));
  };
  return {
    colors,
    isTerminal: columns !== undefined,
    get columns() {
      return columns?.();
    },
    write: print,
    line: (text) => print(`${text}\n`),
    status: (text) => {
      if (text === undefined || columns === undefined) return erase();
      // A wrapped status could not be erased.
      write(`${clearLine}${colors.dim(cut(printableLine(text), columns() - 1))}`);
      hasStatus = true;
    },
  };
}
