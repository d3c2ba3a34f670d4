import { isatty } from "node:tty";

import { colorsFor } from "./colors.ts";
import { createOutput, type Output } from "./output.ts";
import { type Prompts, terminalPrompts } from "./prompts.ts";

const usualColumns = 80;

/** What a person sees of a command, and is asked. */
export interface Terminal {
  /** Results. */
  readonly out: Output;
  /** Talk: headlines, progress, warnings, errors. */
  readonly err: Output;
  /** Whether somebody is there to answer. */
  readonly interactive: boolean;
  readonly prompts: Prompts;
}

/** The terminal of this process. */
export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const { stdin, stdout, stderr } = process;
  const output = (stream: NodeJS.WriteStream & { readonly fd: number }): Output => {
    const isTerminal = isatty(stream.fd);
    return createOutput((text) => void stream.write(text), {
      colors: colorsFor(isTerminal, environment),
      // A terminal that does not know its width, such as a serial line, says 0.
      columns: isTerminal ? () => stream.columns || usualColumns : undefined,
    });
  };
  return {
    out: output(stdout),
    err: output(stderr),
    interactive: isatty(stdin.fd) && isatty(stderr.fd),
    prompts: terminalPrompts({ input: stdin, output: stderr }),
  };
}
