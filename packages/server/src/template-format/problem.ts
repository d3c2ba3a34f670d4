import { maxProblems } from "./limits.ts";

/** What is wrong with a `slipway.yaml`, and where. Lines and columns count from 1. */
export interface TemplateProblem {
  readonly line: number;
  readonly column: number;
  /** Such as `agents.main.scripts.prepare.run_on[0]`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
}

/** Collects problems up to a limit, then drops them. */
export class ProblemList {
  readonly #kept: TemplateProblem[] = [];

  get count(): number {
    return this.#kept.length;
  }

  get isFull(): boolean {
    return this.#kept.length >= maxProblems;
  }

  add(problem: TemplateProblem): void {
    if (!this.isFull) this.#kept.push(problem);
  }

  /** In the order of the file; a full list says so at its end. */
  toArray(): readonly TemplateProblem[] {
    const sorted = this.#kept.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const last = sorted.at(-1);
    if (!this.isFull || last === undefined) return sorted;
    return [
      ...sorted,
      { ...last, path: "", message: `more problems than these ${maxProblems} are not listed` },
    ];
  }
}
