import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The event loop turns of a process that `watch-turns.ts` watches. */
export class ServerTurns {
  readonly #path: string;
  #readBytes = 0;

  /** `path` must not exist yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The environment variables with which the process must start. */
  get environment(): Readonly<Record<string, string>> {
    const program = fileURLToPath(new URL("watch-turns.ts", import.meta.url));
    return { NODE_OPTIONS: `--import=${program}`, SLIPWAY_TEST_TURNS: this.#path };
  }

  /** Returns the processor time in milliseconds of each turn since the last call. */
  take(): readonly number[] {
    const lines = this.#readNew().split("\n").slice(0, -1);
    return lines.flatMap((line): number[] => JSON.parse(line));
  }

  /** Reads the complete lines since the last call; the watcher writes each in one piece. */
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
