import type { Dir } from "node:fs";
import type { FileHandle } from "node:fs/promises";

import type { DescriptorShare } from "../../connections/descriptors.ts";
import { fileTurns } from "../../process/turns.ts";
import { SftpError, SftpStatus } from "./errors.ts";

/** The maximum number of files and directories that a client may have open. */
export const maxHandles = 256;

export type OpenHandle =
  | { readonly kind: "file"; readonly file: FileHandle; readonly isAppending: boolean }
  | { readonly kind: "directory"; readonly directory: Dir; readonly path: Buffer };

interface HeldHandle {
  readonly handle: OpenHandle;
  readonly descriptor: Disposable;
}

/** The open files of a client, by their handles. */
export class OpenHandles implements AsyncDisposable {
  readonly #byName = new Map<string, HeldHandle>();
  readonly #owner: object;
  readonly #descriptors: DescriptorShare;
  #made = 0;

  /** `owner` is the connection, which takes the turns on files. */
  constructor(owner: object, descriptors: DescriptorShare) {
    this.#owner = owner;
    this.#descriptors = descriptors;
  }

  /** Opens a file and resolves to its handle. Rejects with `SftpError` if there are too many. */
  async open(open: () => Promise<OpenHandle>): Promise<string> {
    if (this.#byName.size >= maxHandles) {
      throw new SftpError(SftpStatus.failure, `more than ${maxHandles} open files`);
    }
    const descriptor = this.#descriptors.take(1);
    if (descriptor === undefined) {
      throw new SftpError(SftpStatus.failure, "too many open files of this connection or of all");
    }
    try {
      const handle = await open();
      this.#made += 1;
      const name = String(this.#made);
      this.#byName.set(name, { handle, descriptor });
      return name;
    } catch (error) {
      descriptor[Symbol.dispose]();
      throw error;
    }
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
    const held = this.#held(name);
    this.#byName.delete(name);
    await closeHandle(held);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handles = [...this.#byName.values()];
    this.#byName.clear();
    const closed = handles.map((held) =>
      fileTurns.runPatiently(this.#owner, () => closeHandle(held)),
    );
    await Promise.allSettled(closed);
  }

  #find(name: string): OpenHandle {
    return this.#held(name).handle;
  }

  #held(name: string): HeldHandle {
    const held = this.#byName.get(name);
    if (held === undefined) throw new SftpError(SftpStatus.failure, "no such handle");
    return held;
  }
}

async function closeHandle({ handle, descriptor }: HeldHandle): Promise<void> {
  try {
    if (handle.kind === "file") await handle.file.close();
    else await handle.directory.close();
  } finally {
    descriptor[Symbol.dispose]();
  }
}
