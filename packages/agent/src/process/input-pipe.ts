import { closeSync, constants, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";

/**
 * A pipe for a child's input. The child gets `readFd`; `closeReadEnd` closes it here once the child has started, and
 * `release` removes the pipe once the child has ended.
 */
export interface InputPipe {
  readonly readFd: number;
  readonly writer: Writable;
  closeReadEnd(): void;
  release(): void;
}

/** The intervals at which to check for late readers of the pipe, in milliseconds. */
const firstKnockMs = 20;
const maxKnockMs = 1000;

/**
 * Opens the FIFO at `path`, and removes it when it is released. Unlike an anonymous pipe, it blocks a child that
 * opens it (as `/dev/stdin`) after the writer has closed it. So the FIFO is repeatedly reopened for a moment after
 * its end.
 */
export function openInputPipe(path: string): InputPipe {
  // First opened without blocking, so that the writer does not block; then for the child, whose end must block.
  const waiting = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const writer = new Socket({ fd: openForWriting(path), readable: false, writable: true });
    const readFd = openSync(path, constants.O_RDONLY);
    let knock: NodeJS.Timeout | undefined;
    let isReleased = false;
    const knockLater = (ms: number): void => {
      if (isReleased) return;
      knock = setTimeout(() => {
        if (hasReader(path)) knockLater(Math.min(2 * ms, maxKnockMs));
      }, ms);
    };
    writer.once("close", () => knockLater(firstKnockMs));
    const release = (): void => {
      isReleased = true;
      clearTimeout(knock);
      rmSync(path, { force: true });
    };
    return { readFd, writer, closeReadEnd: () => closeSync(readFd), release };
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(waiting);
  }
}

/** Opens the FIFO for a moment, which wakes a reader that waits for a writer. Returns false if nothing reads it. */
function hasReader(path: string): boolean {
  try {
    closeSync(openForWriting(path));
    return true;
  } catch {
    // ENXIO, or the directory is gone.
    return false;
  }
}

function openForWriting(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
}
