import { constants, existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { openWithoutEffect } from "./open-file.ts";
import { childPath } from "./paths.ts";

const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | openWithoutEffect;
/** The names of this process's descriptors, through which Linux reaches the directory itself, wherever it is by now. */
const descriptors = "/proc/self/fd";
const hasDescriptors = existsSync(descriptors);

/**
 * An open directory. The paths of its children lead through its descriptor, so that no one can put a link in the place
 * of one of its parents meanwhile. Its opener closes it.
 */
export class HeldDirectory implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #path: Buffer;

  private constructor(file: FileHandle, path: Buffer) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens a directory, but not through a link as its last name. Rejects with `ENOTDIR` or `ELOOP` for anything else. */
  static async open(path: Buffer): Promise<HeldDirectory> {
    return new HeldDirectory(await open(path, flags), path);
  }

  /** Returns the path of the directory for calls of the system. */
  get path(): Buffer {
    return hasDescriptors ? Buffer.from(`${descriptors}/${this.#file.fd}`) : this.#path;
  }

  /** Returns the path of a child for calls of the system. */
  child(name: Buffer | string): Buffer {
    return childPath(this.path, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
