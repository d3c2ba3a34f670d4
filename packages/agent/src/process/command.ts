import { ProcessError } from "./errors.ts";
import { splitShellWords } from "./shell-words.ts";

/** A program and its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * Returns the command that runs a text (docs/protocol/agent.md §4.1): the shell, as its login shell when empty, or the
 * interpreter of its `#!` line, which gets the whole text after `-c`. Throws `ProcessError` "bad-interpreter".
 */
export function buildCommand(shell: string, text: string): Command {
  const trimmed = text.trim();
  if (trimmed === "") return { file: shell, args: ["-l"] };
  if (!trimmed.startsWith("#!")) return { file: shell, args: ["-c", text] };

  const [line = ""] = trimmed.slice(2).split("\n", 1);
  const [file, ...args] = splitShellWords(line.trim()) ?? [];
  if (file === undefined) {
    throw new ProcessError(
      "bad-interpreter",
      `the first line is ${JSON.stringify(`#!${line}`)}, wanted an interpreter`,
    );
  }
  return { file, args: [...args, "-c", text] };
}
