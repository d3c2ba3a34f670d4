import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The turns of the event loop of a process that `watch-turns.ts` watches. */
export class ServerTurns {
  readonly #path: string;

  /** Nothing may be at the path yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The variables with which the process is to start. */
  get environment(): Readonly<Record<string, string>> {
    const program = fileURLToPath(new URL("watch-turns.ts", import.meta.url));
    return { NODE_OPTIONS: `--import=${program}`, BENCH_TURNS: this.#path };
  }

  /** Returns the milliseconds of processor time of each turn so far. */
  read(): readonly number[] {
    const lines = readFileSync(this.#path, "utf8").split("\n").slice(0, -1);
    return lines.flatMap((line): number[] => JSON.parse(line));
  }
}
