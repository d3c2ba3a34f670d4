import type { Readable, Writable } from "node:stream";

import type * as Library from "@clack/prompts";
import { printableLine } from "@slipway/runtime";

/** Prompts, only on a terminal. Each rejects with `PromptCanceledError` on Ctrl-C and at the end of the input. */
export interface Prompts {
  text(question: TextQuestion): Promise<string>;
  password(message: string): Promise<string>;
  /** Asks for a text that is not shown; nor is the fallback, of which the message has to speak. */
  secret(question: Pick<TextQuestion, "message" | "fallback">): Promise<string>;
  /**
   * Requires `yes` or `y` and Enter; Enter alone means no, so that a stray key, or a line meant for the shell,
   * destroys nothing. Pass `initial: true` for harmless actions, which one key answers.
   */
  confirm(message: string, options?: { readonly initial: boolean }): Promise<boolean>;
  /** `initial` is the value that Enter alone takes (default: the first). */
  select(message: string, choices: readonly Choice[], initial?: string): Promise<string>;
  /** Any number of the choices, including none; those of `initial` are preselected. */
  multiselect(
    message: string,
    choices: readonly Choice[],
    initial: readonly string[],
  ): Promise<readonly string[]>;
}

export interface TextQuestion {
  readonly message: string;
  /** The value of an empty answer; without it, an answer is required. */
  readonly fallback?: string | undefined;
  /** The initial text, which can be edited. */
  readonly initial?: string | undefined;
  /** Returns the problem with an answer, or undefined. */
  readonly problem?: ((answer: string) => string | undefined) | undefined;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string | undefined;
}

/** The streams for answers and questions. */
interface PromptStreams {
  readonly input: Readable;
  readonly output: Writable;
  /** Cancels the open prompt, and every later one: a Ctrl-C may come just before a prompt. */
  readonly signal: AbortSignal;
}

/** A prompt that the person canceled with Ctrl-C, Ctrl-D or Escape, or whose input has ended. */
export class PromptCanceledError extends Error {
  override readonly name = "PromptCanceledError";
  readonly code = "prompt-canceled";

  constructor() {
    super("canceled");
  }
}

/**
 * Returns prompts on stderr, so that stdout has only results. The library is loaded at the first question; it writes
 * its input unchanged, so questions and choices, which mostly come from the server, are made printable here.
 */
export function terminalPrompts(streams: PromptStreams): Prompts {
  const ask = <T extends Answer>(question: Question<T>): Promise<T> => answerTo(question, streams);
  const askHidden = async (message: string, problemOfEmpty: string | undefined): Promise<string> =>
    // The library answers an empty line with undefined.
    (await ask<string | undefined>(({ password }, open) =>
      password({
        message: printableLine(message),
        ...open,
        validate: (value = "") => (value === "" ? problemOfEmpty : undefined),
      }),
    )) ?? "";
  return {
    text: ({ message, fallback, initial, problem }) =>
      ask<string>(({ text }, open) =>
        text({
          message: printableLine(message),
          ...open,
          ...(fallback === undefined
            ? {}
            : { placeholder: printableLine(fallback), defaultValue: fallback }),
          ...(initial === undefined ? {} : { initialValue: initial }),
          validate: (value) => {
            const answer = value === undefined || value === "" ? fallback : value;
            const said = answer === undefined ? "an answer is required" : problem?.(answer);
            return said === undefined ? undefined : printableLine(said);
          },
        }),
      ),
    password: (message) => askHidden(message, "a password is required"),
    secret: async ({ message, fallback }) => {
      const answer = await askHidden(
        message,
        fallback === undefined ? "an answer is required" : undefined,
      );
      return answer === "" ? (fallback ?? "") : answer;
    },
    confirm: async (message, { initial } = { initial: false }) => {
      const shown = printableLine(message);
      if (initial) {
        return ask<boolean>(({ confirm }, open) =>
          confirm({ message: shown, ...open, initialValue: true }),
        );
      }
      const answer = await ask<string>(({ text }, open) =>
        text({
          message: `${shown} (yes/no)`,
          ...open,
          placeholder: "no",
          defaultValue: "no",
          validate: (value = "") => (decisions.has(wordOf(value)) ? undefined : "write yes or no"),
        }),
      );
      return decisions.get(wordOf(answer)) ?? false;
    },
    select: (message, choices, initial) =>
      ask<string>(({ select }, open) =>
        select<string>({
          message: printableLine(message),
          ...open,
          options: printableChoices(choices),
          ...(initial === undefined ? {} : { initialValue: initial }),
        }),
      ),
    multiselect: (message, choices, initial) =>
      ask<string[]>(({ multiselect }, open) =>
        multiselect<string>({
          message: printableLine(message),
          ...open,
          options: printableChoices(choices),
          initialValues: [...initial],
          required: false,
        }),
      ),
  };
}

type Answer = string | boolean | string[] | undefined;

/** Asks by the library, which answers with a symbol once the signal or a key cancels the question. */
type Question<T extends Answer> = (
  library: typeof Library,
  streams: PromptStreams,
) => Promise<T | symbol>;

const ctrlD = "\u0004";

/** Asks a question, which the end of the input cancels too, as does Ctrl-D: the library would wait forever. */
async function answerTo<T extends Answer>(
  question: Question<T>,
  { input, output, signal }: PromptStreams,
): Promise<T> {
  const library = await import("@clack/prompts");
  library.updateSettings({ aliases: { [ctrlD]: "cancel" } });
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const event of ["end", "close"]) input.once(event, end);
  if (input.readableEnded || input.destroyed) end();
  try {
    const both = AbortSignal.any([signal, ending.signal]);
    const answer = await question(library, { input, output, signal: both });
    if (typeof answer === "symbol") throw new PromptCanceledError();
    return answer;
  } finally {
    for (const event of ["end", "close"]) input.off(event, end);
  }
}

/** The answers to a question that Enter alone answers with no. */
const decisions: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["y", true],
  ["no", false],
  ["n", false],
  ["", false],
]);

function wordOf(answer: string): string {
  return answer.trim().toLowerCase();
}

function printableChoices(
  choices: readonly Choice[],
): { readonly value: string; readonly label: string; readonly hint?: string }[] {
  return choices.map(({ value, label, hint = "" }) => ({
    value,
    label: printableLine(label),
    ...(hint === "" ? {} : { hint: printableLine(hint) }),
  }));
}
