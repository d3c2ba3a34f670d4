import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** The size above which the log is truncated at the next start. */
const maxLogBytes = 8 * 1024 * 1024;
const maxTailBytes = 4096;

/** PostgreSQL's own log, a file that the server inherits. */
export interface ServerLog extends AsyncDisposable {
  readonly fd: number;
  /** Returns the end of the output since the log was opened. */
  tail(): Promise<string>;
}

/** Opens the log for appending. The caller disposes of the handle; a server that inherited it keeps writing. */
export async function openServerLog(path: string): Promise<ServerLog> {
  const file = await open(path, "a+", 0o600);
  const { size } = await file.stat();
  if (size > maxLogBytes) await file.truncate();
  const start = size > maxLogBytes ? 0 : size;
  return {
    fd: file.fd,
    tail: async () => tailSince(file, start),
    [Symbol.asyncDispose]: async () => file.close(),
  };
}

async function tailSince(file: FileHandle, start: number): Promise<string> {
  const { size } = await file.stat();
  const length = Math.min(size - start, maxTailBytes);
  if (length <= 0) return "";
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString("utf8", 0, bytesRead).trim();
}
