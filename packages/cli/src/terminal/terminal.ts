import { isatty } from "node:tty";

import { colorsFor } from "./colors.ts";
import { createOutput, type Output } from "./output.ts";
import { type Prompts, terminalPrompts } from "./prompts.ts";
import { processRawTerminal, type RawTerminal } from "./raw-terminal.ts";

const defaultColumns = 80;

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
  /** Returns the streams as they are, for a program that runs elsewhere. */
  raw(): RawTerminal;
}

/** The terminal of this process, whose prompts end with the signal. */
export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Terminal {
  const { stdin, stdout, stderr } = process;
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
    interactive: isatty(stdin.fd) && isatty(stderr.fd),
    prompts: terminalPrompts({ input: stdin, output: stderr, signal }),
    readInput: () => readText(stdin),
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
