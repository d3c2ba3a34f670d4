import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The turns of the event loop of a process that `watch-turns.ts` watches. */
export class ServerTurns {
  readonly #path: string;
  #readBytes = 0;

  /** Nothing may be at the path yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The variables with which the process is to start. */
  get environment(): Readonly<Record<string, string>> {
    const program = fileURLToPath(new URL("watch-turns.ts", import.meta.url));
    return { NODE_OPTIONS: `--import=${program}`, SLIPWAY_TEST_TURNS: this.#path };
  }

  /** Returns the milliseconds of processor time of each turn that no call before has returned. */
  take(): readonly number[] {
    const lines = this.#readNew().split("\n").slice(0, -1);
    return lines.flatMap((line): number[] => JSON.parse(line));
  }

  /** Reads the whole lines that came since; the watcher writes each at once. */
  #readNew(): string {
    const file = openSync(this.#path, "a+");
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#readBytes));
      const count = readSync(file, bytes, 0, bytes.length, this.#readBytes);
      const end = bytes.subarray(0, count).lastIndexOf(0x0a) + 1;
      this.#readBytes += end;
      return bytes.toString("utf8", 0, end);
    } finally {
      closeSync(file);
    }
  }
}
