import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";

import { DriverError } from "../errors.ts";

// The programs of a template may have put a link or a pipe in the place of a file.
export const safeReadFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads a file of a run; undefined if there is none. Throws `run-failed` for one that is too large or not a file. */
export async function readBounded(
  path: string,
  what: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, safeReadFlags);
    const found = await file.stat();
    if (!found.isFile()) throw new DriverError("run-failed", `${what} is not a file`);
    if (found.size > maxBytes) {
      throw new DriverError(
        "run-failed",
        `${what} has ${found.size} bytes, wanted at most ${maxBytes}`,
      );
    }
    return await file.readFile();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
