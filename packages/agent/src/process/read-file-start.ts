import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Opens a pipe without waiting for its writer, and a terminal without acquiring it. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Reads the first `maxBytes` of a file. Resolves to undefined unless it is a regular file: a pipe may never have a writer, and
 * a device may have no end. Rejects with the errors of the file system.
 */
export async function readFileStart(path: string, maxBytes: number): Promise<Buffer | undefined> {
  await using file = await open(path, flags);
  if (!(await file.stat()).isFile()) return undefined;
  const room = Buffer.alloc(maxBytes);
  let filled = 0;
  while (filled < maxBytes) {
    const { bytesRead } = await file.read(room, filled, maxBytes - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return room.subarray(0, filled);
}
