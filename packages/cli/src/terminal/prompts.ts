import type { Readable, Writable } from "node:stream";

import { printableLine } from "@slipway/runtime";

/** Prompts, only on a terminal. Each rejects with `PromptCanceledError` on Ctrl-C. */
export interface Prompts {
  text(question: TextQuestion): Promise<string>;
  password(message: string): Promise<string>;
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

/** A prompt that the person canceled with Ctrl-C or Escape. */
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
  const library = () => import("@clack/prompts");
  return {
    async text({ message, fallback, initial, problem }) {
      const answer = await (
        await library()
      ).text({
        message: printableLine(message),
        ...streams,
        ...(fallback === undefined
          ? {}
          : { placeholder: printableLine(fallback), defaultValue: fallback }),
        ...(initial === undefined ? {} : { initialValue: initial }),
        validate: (value) => {
          const text = value === undefined || value === "" ? fallback : value;
          const said = text === undefined ? "an answer is required" : problem?.(text);
          return said === undefined ? undefined : printableLine(said);
        },
      });
      return answered<string>(answer);
    },
    async password(message) {
      const validate = (value: string | undefined): string | undefined =>
        (value ?? "") === "" ? "a password is required" : undefined;
      const question = { message: printableLine(message), ...streams, validate };
      return answered<string>(await (await library()).password(question));
    },
    async confirm(message, { initial } = { initial: false }) {
      const shown = printableLine(message);
      const { confirm, text } = await library();
      if (initial) {
        return answered<boolean>(await confirm({ message: shown, ...streams, initialValue: true }));
      }
      const answer = await text({
        message: `${shown} (yes/no)`,
        ...streams,
        placeholder: "no",
        defaultValue: "no",
        validate: (value = "") => (decisions.has(wordOf(value)) ? undefined : "write yes or no"),
      });
      return decisions.get(wordOf(answered<string>(answer))) ?? false;
    },
    async select(message, choices, initial) {
      const question = {
        message: printableLine(message),
        ...streams,
        options: printableChoices(choices),
        ...(initial === undefined ? {} : { initialValue: initial }),
      };
      return answered<string>(await (await library()).select<string>(question));
    },
    async multiselect(message, choices, initial) {
      const question = {
        message: printableLine(message),
        ...streams,
        options: printableChoices(choices),
        initialValues: initial,
        required: false,
      };
      return answered<string[]>(await (await library()).multiselect<string>(question));
    },
  };
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

function answered<T extends string | boolean | string[]>(answer: T | symbol): T {
  if (typeof answer === "symbol") throw new PromptCanceledError();
  return answer;
}
