import type { Dir } from "node:fs";
import type { FileHandle } from "node:fs/promises";

import { SftpError, SftpStatus } from "./errors.ts";

/** The files and directories that a client may have open. */
export const maxHandles = 256;

export type OpenHandle =
  | { readonly kind: "file"; readonly file: FileHandle; readonly isAppending: boolean }
  | { readonly kind: "directory"; readonly directory: Dir; readonly path: Buffer };

/** The open files of a client, by the names that it was given for them. */
export class OpenHandles implements AsyncDisposable {
  readonly #byName = new Map<string, OpenHandle>();
  #made = 0;

  /** Throws `SftpError` if there is no room for another one. */
  checkRoom(): void {
    if (this.#byName.size >= maxHandles) {
      throw new SftpError(SftpStatus.failure, "too many open files");
    }
  }

  add(handle: OpenHandle): string {
    this.#made += 1;
    const name = String(this.#made);
    this.#byName.set(name, handle);
    return name;
  }

  file(name: string): OpenHandle & { readonly kind: "file" } {
    const handle = this.#find(name);
    if (handle.kind !== "file") throw new SftpError(SftpStatus.failure, "not a file");
    return handle;
  }

  directory(name: string): OpenHandle & { readonly kind: "directory" } {
    const handle = this.#find(name);
    if (handle.kind !== "directory") throw new SftpError(SftpStatus.failure, "not a directory");
    return handle;
  }

  async close(name: string): Promise<void> {
    const handle = this.#find(name);
    this.#byName.delete(name);
    await closeHandle(handle);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handles = [...this.#byName.values()];
    this.#byName.clear();
    await Promise.allSettled(handles.map((handle) => closeHandle(handle)));
  }

  #find(name: string): OpenHandle {
    const handle = this.#byName.get(name);
    if (handle === undefined) throw new SftpError(SftpStatus.failure, "no such handle");
    return handle;
  }
}

async function closeHandle(handle: OpenHandle): Promise<void> {
  if (handle.kind === "file") await handle.file.close();
  else await handle.directory.close();
}
