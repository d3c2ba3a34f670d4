import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";

import { colorsFor } from "./colors.ts";
import { createOutput, type Output } from "./output.ts";
import { type Prompts, terminalPrompts } from "./prompts.ts";

const defaultColumns = 80;
const stdinDescriptor = 0;

/** A command's output, prompts and input. */
export interface Terminal {
  /** Results. */
  readonly out: Output;
  /** Messages: headlines, progress, warnings, errors. */
  readonly err: Output;
  /** True if a person can answer prompts. */
  readonly interactive: boolean;
  readonly prompts: Prompts;
  /** Reads stdin to its end, as text. Throws `RangeError` above 64 KiB. */
  readInput(): Promise<string>;
  /** Returns the raw streams, for a program that runs elsewhere. */
  raw(): RawTerminal;
}

/** The terminal of this process, whose prompts end with the signal. */
export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Terminal {
  const { stdout, stderr } = process;
  const output = (stream: NodeJS.WriteStream & { readonly fd: number }): Output => {
    const isTerminal = isatty(stream.fd);
    return createOutput((text) => void stream.write(text), {
      colors: colorsFor(isTerminal, environment),
      // A terminal that does not know its width, such as a serial line, reports 0.
      columns: isTerminal ? () => stream.columns || defaultColumns : undefined,
    });
  };
  return {
    out: output(stdout),
    err: output(stderr),
    interactive: isatty(stdinDescriptor) && isatty(stderr.fd),
    prompts: terminalPrompts({
      // Opened where it is read, as opening it takes milliseconds.
      get input() {
        return process.stdin;
      },
      output: stderr,
      signal,
    }),
    readInput: () => readText(process.stdin),
    raw: processRawTerminal,
  };
}

const maxInputBytes = 64 * 1024;

async function readText(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > maxInputBytes) throw new RangeError(`stdin has more than ${maxInputBytes} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The size of a terminal, in characters. */
interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Stdin, stdout and stderr as bytes, for programs that run elsewhere: their output is meant for the terminal
 * unchanged. Everything else goes through `Output`.
 */
export interface RawTerminal {
  readonly input: Readable;
  readonly output: Writable;
  readonly error: Writable;
  /** True if keys come from a terminal, which can pass them on unread. */
  readonly isInteractive: boolean;
  /** The current size; undefined if neither stdout nor stdin is a terminal. */
  size(): TerminalSize | undefined;
  /** Passes on every key immediately, including Ctrl-C, until it is disposed of. */
  enterRawMode(): Disposable;
  /** Calls `listener` after each change of the size, until it is disposed of. */
  onResize(listener: () => void): Disposable;
}

/** The raw terminal of this process. */
function processRawTerminal(): RawTerminal {
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
