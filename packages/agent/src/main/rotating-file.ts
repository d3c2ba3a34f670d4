import {
  closeSync,
  fstatSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join, parse } from "node:path";

import { makeDirectoriesSync } from "@slipway/runtime/make-directories";
import { openOwnFileSync, type OwnFileOptions } from "@slipway/runtime/own-file";

const ownFile: OwnFileOptions = { write: "append", mode: 0o600 };

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
  /** Undefined once closed: the number may then be another file's. */
  #fd: number | undefined;
  #bytes: number;

  /** Throws when the file cannot be opened. */
  constructor(path: string, options: RotationOptions, now: () => number) {
    this.#path = path;
    this.#options = options;
    this.#now = now;
    makeDirectoriesSync(dirname(path));
    this.#fd = openOwnFileSync(path, ownFile);
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

  /** Returns the descriptor of the new file, or of the full one if the new one cannot be opened. */
  #rotate(full: number): number {
    this.#bytes = 0;
    const fd = this.#openNext();
    if (fd === undefined) return full;
    closeSync(full);
    this.#fd = fd;
    try {
      this.#removeOldest();
    } catch {
      // A leftover file must not cost a line.
    }
    return fd;
  }

  #openNext(): number | undefined {
    const { dir, name, ext } = parse(this.#path);
    const time = new Date(this.#now()).toISOString().replaceAll(":", "-").replace(/Z$/, "");
    try {
      renameSync(this.#path, join(dir, `${name}-${time}${ext}`));
      return openOwnFileSync(this.#path, ownFile);
    } catch {
      return undefined;
    }
  }

  #removeOldest(): void {
    const { dir, name, ext } = parse(this.#path);
    // Times in names sort chronologically.
    const rotated = readdirSync(dir)
      .filter((file) => file.startsWith(`${name}-2`) && file.endsWith(ext))
      .filter((file) => isOwn(join(dir, file)))
      .toSorted();
    for (const file of rotated.slice(0, Math.max(0, rotated.length - this.#options.keep))) {
      rmSync(join(dir, file), { force: true });
    }
  }
}

/** Reports whether a rotated file is this user's: others may write to the same directory. */
function isOwn(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}
