import { maxProblems, maxProblemText } from "./limits.ts";

/** A problem in a `slipway.yaml` with its position. Lines and columns count from 1. */
export interface TemplateProblem {
  readonly line: number;
  readonly column: number;
  /** A path such as `agents.main.scripts.prepare.run_on[0]`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
}

/** Returns a problem as a line with its position: `slipway.yaml:3:1: agnets: unknown key …`. */
export function problemLine(
  file: string,
  { line, column, path, message }: TemplateProblem,
): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
}

/** Collects problems up to a limit and drops the rest. */
export class ProblemList {
  readonly #kept: TemplateProblem[] = [];

  get count(): number {
    return this.#kept.length;
  }

  get isFull(): boolean {
    return this.#kept.length >= maxProblems;
  }

  add(problem: TemplateProblem): void {
    if (this.isFull) return;
    const { path, message } = problem;
    this.#kept.push({ ...problem, path: storable(path), message: storable(message) });
  }

  /** Lists the problems in the order of the file; a full list ends with a note. */
  toArray(): readonly TemplateProblem[] {
    const sorted = this.#kept.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const last = sorted.at(-1);
    if (!this.isFull || last === undefined) return sorted;
    return [
      ...sorted,
      { ...last, path: "", message: `problems after the first ${maxProblems} are not listed` },
    ];
  }
}

/**
 * Returns a text that can be stored and shown in one line: messages and paths quote the file, which may contain
 * anything.
 */
function storable(text: string): string {
  const short = text.length > maxProblemText ? `${text.slice(0, maxProblemText)}…` : text;
  return short.toWellFormed().replaceAll(/\p{Cc}/gu, "\uFFFD");
}
