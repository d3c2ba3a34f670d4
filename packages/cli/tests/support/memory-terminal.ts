import { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

import { type Colors, noColors } from "../../src/terminal/colors.ts";
import { createOutput, type Output } from "../../src/terminal/output.ts";
import type { Choice, Prompts } from "../../src/terminal/prompts.ts";
import type { RawTerminal, Terminal } from "../../src/terminal/terminal.ts";

/** A terminal that records its output, for tests. */
export interface MemoryTerminal extends Terminal {
  /** Everything written to stdout so far. */
  readonly outText: () => string;
  readonly errText: () => string;
}

/** A test's answer to a prompt: a text or a choice, yes or no, several choices. */
export type Answer = string | boolean | readonly string[];

/**
 * Returns a terminal that is interactive only with `answers`, given in the order of the prompts; `input` comes on
 * stdin. Prompts and problems with answers go to stderr, so that a test can read them.
 */
export function memoryTerminal(
  answers?: readonly Answer[],
  { colors = noColors, input = "" }: { readonly colors?: Colors; readonly input?: string } = {},
): MemoryTerminal {
  const written = { out: "", err: "" };
  const output = (name: keyof typeof written): Output =>
    createOutput((text) => void (written[name] += text), { colors, columns: undefined });
  const err = output("err");
  return {
    out: output("out"),
    err,
    interactive: answers !== undefined,
    prompts: scriptedPrompts(answers ?? [], err),
    outText: () => written.out,
    errText: () => written.err,
    readInput: () => Promise.resolve(input),
    raw: () => rawTerminal(Readable.from(input === "" ? [] : [Buffer.from(input)]), written),
  };
}

/** A terminal of 80 by 24 that passes bytes through; it is not interactive. */
function rawTerminal(input: Readable, written: { out: string; err: string }): RawTerminal {
  const writable = (name: keyof typeof written): Writable => {
    const decoder = new StringDecoder("utf8");
    return new Writable({
      write(chunk: Buffer, _, done) {
        written[name] += decoder.write(chunk);
        done();
      },
    });
  };
  const nothing = { [Symbol.dispose]: () => undefined };
  return {
    input,
    output: writable("out"),
    error: writable("err"),
    isInteractive: false,
    size: () => ({ columns: 80, rows: 24 }),
    enterRawMode: () => nothing,
    onResize: () => nothing,
  };
}

function scriptedPrompts(answers: readonly Answer[], err: Output): Prompts {
  const left = [...answers];
  const next = <T extends Answer>(
    question: string,
    isWanted: (answer: Answer) => answer is T,
  ): T => {
    err.line(`? ${question}`);
    const answer = left.shift();
    if (answer !== undefined && isWanted(answer)) return answer;
    throw new TypeError(`"${question}" is not answered by ${JSON.stringify(answer)}`);
  };
  const choose = (message: string, choices: readonly Choice[]): string => {
    const labels = choices.map(({ label }) => label).join(" | ");
    for (const { label, hint = "" } of choices) if (hint !== "") err.line(`  ${label}: ${hint}`);
    const answer = next(`${message} [${labels}]`, isText);
    const found = choices.find(({ value, label }) => answer === value || answer === label);
    if (found === undefined) throw new TypeError(`there is no choice "${answer}" of ${labels}`);
    return found.value;
  };
  return {
    text: async ({ message, fallback, problem }) => {
      for (;;) {
        const typed = next(fallback === undefined ? message : `${message} (${fallback})`, isText);
        const answer = typed === "" ? fallback : typed;
        const said = answer === undefined ? "an answer is required" : problem?.(answer);
        if (answer !== undefined && said === undefined) return answer;
        err.line(`! ${said}`);
      }
    },
    password: async (message) => next(message, isText),
    secret: async ({ message, fallback }) => {
      const typed = next(`${message} (not shown)`, isText);
      return typed === "" ? (fallback ?? "") : typed;
    },
    select: async (message, choices) => choose(message, choices),
    multiselect: async (message, choices) => {
      const labels = choices.map(({ label }) => label).join(" | ");
      return next(`${message} [${labels}]`, isList);
    },
    confirm: async (message, { initial } = { initial: false }) =>
      next(`${message} (${initial ? "yes" : "no"})`, isTruth),
  };
}

function isText(answer: Answer): answer is string {
  return typeof answer === "string";
}

function isTruth(answer: Answer): answer is boolean {
  return typeof answer === "boolean";
}

function isList(answer: Answer): answer is readonly string[] {
  return typeof answer === "object";
}
