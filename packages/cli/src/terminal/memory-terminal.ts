import { type Colors, noColors } from "./colors.ts";
import { createOutput, type Output } from "./output.ts";
import type { Prompts } from "./prompts.ts";
import type { Terminal } from "./terminal.ts";

/** A terminal that keeps what was written, for tests. */
export interface MemoryTerminal extends Terminal {
  /** Everything written to stdout so far. */
  readonly outText: () => string;
  readonly errText: () => string;
}

/** Nobody sits there unless `answers` says how the questions are answered, in order; `input` comes on stdin. */
export function memoryTerminal(
  answers?: readonly (string | boolean)[],
  { colors = noColors, input = "" }: { readonly colors?: Colors; readonly input?: string } = {},
): MemoryTerminal {
  const written = { out: "", err: "" };
  const output = (name: keyof typeof written): Output =>
    createOutput((text) => void (written[name] += text), { colors, columns: undefined });
  return {
    out: output("out"),
    err: output("err"),
    interactive: answers !== undefined,
    prompts: scriptedPrompts(answers ?? []),
    outText: () => written.out,
    errText: () => written.err,
    readInput: () => Promise.resolve(input),
  };
}

function scriptedPrompts(answers: readonly (string | boolean)[]): Prompts {
  const left = [...answers];
  const text = (question: string): Promise<string> => {
    const answer = left.shift();
    if (typeof answer !== "string") throw new TypeError(`no text answers "${question}"`);
    return Promise.resolve(answer);
  };
  return {
    text: ({ message }) => text(message),
    password: (message) => text(message),
    select: (message) => text(message),
    confirm: (message) => {
      const answer = left.shift();
      if (typeof answer !== "boolean") throw new TypeError(`no yes or no answers "${message}"`);
      return Promise.resolve(answer);
    },
  };
}
