import { closeSync, constants, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { openInputPipe, type InputPipe } from "./input-pipe.ts";
import {
  makePipes,
  openPipeDirectory,
  type PipeDirectory,
  removeDeadDirectories,
} from "./pipe-directory.ts";

/**
 * If fewer free pipes are left after a command with input, more are created up to the second number, so that the next
 * command need not wait for `mkfifo`, which is a process.
 */
const leastFree = 3;
const enoughFree = 8;

/** A pipe for a child's output. The child gets `writeFd`; `closeWriteEnd` closes it here once the child has started. */
export interface OutputPipe {
  readonly writeFd: number;
  readonly reader: Readable;
  closeWriteEnd(): void;
}

/**
 * Real pipes. Node's "pipe" is a pair of sockets, which a child cannot open by name: `echo > /dev/stderr` fails. Ours
 * are FIFOs in a private directory. A FIFO whose last writer has gone is reused, so that metadata collected each
 * second does not cost a `mkfifo` each second.
 */
export class OutputPipes implements Disposable {
  readonly #parent: string;
  readonly #free: string[] = [];
  #opening: Promise<PipeDirectory> | undefined;
  #directory: PipeDirectory | undefined;
  #isDisposed = false;
  #isMakingMore = false;
  #made = 0;

  constructor(parent: string = tmpdir()) {
    this.#parent = parent;
  }

  /** Opens pipes; the caller closes both ends of each. Rejects if a FIFO cannot be created. */
  async open(count: number): Promise<OutputPipe[]> {
    const paths = await this.#take(count);
    return paths.map((path) => this.#openPipe(path));
  }

  /** Opens a pipe in the other direction. It is used once: there is no event for the departure of its last reader. */
  async openInput(): Promise<InputPipe> {
    const [path = ""] = await this.#take(1);
    void this.#makeMore();
    return openInputPipe(path);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#directory?.[Symbol.dispose]();
    this.#free.length = 0;
  }

  /** Takes the free pipes first, so that no other command takes them while more are created. */
  async #take(count: number): Promise<string[]> {
    const taken = this.#free.splice(0, count);
    try {
      if (taken.length < count) taken.push(...(await this.#make(count - taken.length)));
    } catch (error) {
      this.#free.push(...taken);
      throw error;
    }
    return taken;
  }

  /** Creates pipes for the next commands while this one runs. Never rejects. */
  async #makeMore(): Promise<void> {
    if (this.#free.length >= leastFree || this.#isMakingMore || this.#isDisposed) return;
    this.#isMakingMore = true;
    try {
      const paths = await this.#make(enoughFree - this.#free.length);
      if (!this.#isDisposed) this.#free.push(...paths);
    } catch {
      // The next command creates its own, or reports why it cannot.
    } finally {
      this.#isMakingMore = false;
    }
  }

  async #make(count: number): Promise<string[]> {
    const directory = await this.#openDirectory();
    const paths = Array.from({ length: count }, (_, index) =>
      join(directory.path, String(this.#made + index)),
    );
    this.#made += count;
    await makePipes(paths);
    return paths;
  }

  /** Opens the directory of the FIFOs, and removes those that killed agents left behind. */
  async #openDirectory(): Promise<PipeDirectory> {
    this.#opening ??= this.#prepare().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #prepare(): Promise<PipeDirectory> {
    await removeDeadDirectories(this.#parent);
    const directory = await openPipeDirectory(this.#parent);
    if (this.#isDisposed) directory[Symbol.dispose]();
    this.#directory = directory;
    return directory;
  }

  #openPipe(path: string): OutputPipe {
    // Without O_NONBLOCK, opening waits for the other end. The child's end must block.
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const reader = new Socket({ fd: readFd, readable: true, writable: false });
    reader.once("close", () => {
      if (reader.readableEnded && !this.#isDisposed) this.#free.push(path);
      // Another process may still write into it.
      else rmSync(path, { force: true });
    });
    try {
      const writeFd = openSync(path, constants.O_WRONLY);
      return { writeFd, reader, closeWriteEnd: () => closeSync(writeFd) };
    } catch (error) {
      reader.destroy();
      throw error;
    }
  }
}
