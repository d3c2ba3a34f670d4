import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join, parse } from "node:path";

export interface RotationOptions {
  readonly maxBytes: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
}

/** A log file that is rotated when full; rotated files have the time in their names (docs/protocol/agent.md §1.4). */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #options: RotationOptions;
  readonly #now: () => number;
  /** Undefined once it is closed: the number may be another file's by then. */
  #fd: number | undefined;
  #bytes: number;

  /** Throws when the file cannot be opened. */
  constructor(path: string, options: RotationOptions, now: () => number) {
    this.#path = path;
    this.#options = options;
    this.#now = now;
    mkdirSync(dirname(path), { recursive: true });
    this.#fd = openSync(path, "a", 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Writes a line; drops it once the file is closed. */
  write(line: string): void {
    let fd = this.#fd;
    if (fd === undefined) return;
    const bytes = Buffer.from(line);
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.maxBytes) {
      fd = this.#rotate(fd);
    }
    writeSync(fd, bytes);
    this.#bytes += bytes.length;
  }

  [Symbol.dispose](): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  /** Returns the descriptor of the new file. */
  #rotate(full: number): number {
    const { dir, name, ext } = parse(this.#path);
    const time = new Date(this.#now()).toISOString().replaceAll(":", "-").replace(/Z$/, "");
    renameSync(this.#path, join(dir, `${name}-${time}${ext}`));
    const fd = openSync(this.#path, "a", 0o600);
    closeSync(full);
    this.#fd = fd;
    this.#bytes = 0;
    // Times in names sort chronologically.
    const rotated = readdirSync(dir)
      .filter((file) => file.startsWith(`${name}-2`) && file.endsWith(ext))
      .toSorted();
    for (const file of rotated.slice(0, Math.max(0, rotated.length - this.#options.keep))) {
      rmSync(join(dir, file), { force: true });
    }
    return fd;
  }
}
