import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Stdin, stdout and stderr as bytes, for programs that run elsewhere: what they print is meant for the terminal as it is.
 * Everything else goes through `Output`.
 */
export interface RawTerminal {
  readonly input: Readable;
  readonly output: Writable;
  readonly error: Writable;
  /** True if keys come from a terminal, which can pass them on unread. */
  readonly isInteractive: boolean;
  /** The present size; undefined if neither stdout nor stdin is a terminal. */
  size(): TerminalSize | undefined;
  /** Has every key passed on at once, Ctrl-C too, until it is disposed of. */
  enterRawMode(): Disposable;
  /** Calls `listener` after each change of the size, until it is disposed of. */
  onResize(listener: () => void): Disposable;
}

/** The raw terminal of this process. */
export function processRawTerminal(): RawTerminal {
  const { stdin, stdout, stderr } = process;
  return {
    input: stdin,
    output: stdout,
    error: stderr,
    isInteractive: isatty(stdin.fd),
    size: () => {
      const stream = [stdout, stderr].find(({ columns, rows }) => columns > 0 && rows > 0);
      return stream === undefined ? undefined : { columns: stream.columns, rows: stream.rows };
    },
    enterRawMode: () => {
      const isPossible = isatty(stdin.fd);
      if (isPossible) stdin.setRawMode(true);
      return { [Symbol.dispose]: () => void (isPossible && stdin.setRawMode(false)) };
    },
    onResize: (listener) => {
      process.on("SIGWINCH", listener);
      return { [Symbol.dispose]: () => void process.removeListener("SIGWINCH", listener) };
    },
  };
}
