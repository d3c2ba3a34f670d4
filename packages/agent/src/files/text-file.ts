import { constants } from "node:fs";

import { fileTurns } from "../process/turns.ts";
import { openRegular } from "./open-file.ts";

/** The maximum size of a file that is searched, in bytes. */
export const maxFileBytes = 16 * 1024 * 1024;
/** The bytes at the start of a file of which none is zero if it is text. */
export const sampledBytes = 8 * 1024;

/** Reads a text file; undefined for a large one, one that is not text, and one that cannot be read. */
export async function readTextFile(path: Buffer, owner: object): Promise<string | undefined> {
  try {
    return await fileTurns.run(owner, async () => {
      const { file, stats } = await openRegular(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        if (stats.size > maxFileBytes) return undefined;
        const bytes = await file.readFile();
        return bytes.subarray(0, sampledBytes).includes(0) ? undefined : bytes.toString();
      } finally {
        await file.close();
      }
    });
  } catch {
    return undefined;
  }
}
