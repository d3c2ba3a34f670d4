import { isatty } from "node:tty";

import { colorsFor } from "./colors.ts";
import { type Output, streamOutput } from "./output.ts";
import { type Prompts, terminalPrompts } from "./prompts.ts";

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
    return streamOutput(stream, isTerminal, colorsFor(isTerminal, environment));
  };
  return {
    out: output(stdout),
    err: output(stderr),
    interactive: isatty(stdin.fd) && isatty(stderr.fd),
    prompts: terminalPrompts(stderr),
  };
}
