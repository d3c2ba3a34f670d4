import { createHash } from "node:crypto";

export interface TraceLine {
  /** The milliseconds since the start of the world. */
  readonly atMs: number;
  /** The actor: a replica, an agent, a user, the database. */
  readonly who: string;
  readonly text: string;
  /** The workspaces it concerns; empty means all. */
  readonly workspaces: readonly string[];
}

/** The events of a world, one line per step. A world without a reader keeps none. */
export class Trace {
  readonly lines: TraceLine[] = [];
  readonly #elapsedMs: () => number;
  readonly #isKept: boolean;

  constructor(elapsedMs: () => number, isKept: boolean) {
    this.#elapsedMs = elapsedMs;
    this.#isKept = isKept;
  }

  add(who: string, text: () => string, ...workspaces: readonly (string | undefined)[]): void {
    if (!this.#isKept) return;
    const known = workspaces.filter((workspace) => workspace !== undefined);
    this.lines.push({ atMs: this.#elapsedMs(), who, text: text(), workspaces: known });
  }

  /** Returns the lines that concern a workspace, or all lines, as text. */
  *render(workspace: string | undefined): Generator<string, void, undefined> {
    for (const { atMs, who, text, workspaces } of this.lines) {
      const concerns = workspaces.length === 0 || workspaces.includes(workspace ?? "");
      if (workspace !== undefined && !concerns) continue;
      yield `${(atMs / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(14)}  ${text}`;
    }
  }

  /** Returns a digest that is equal for equal traces. */
  get hash(): string {
    const hash = createHash("sha256");
    for (const line of this.render(undefined)) hash.update(line).update("\n");
    return hash.digest("hex");
  }
}
