import { lstat, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { errorText, type Logger, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { openOwnFile } from "@slipway/runtime/own-file";

import type { SecretFile } from "./manifest.ts";

/** The mode of a new file. A wider mode of an existing file was deliberate, unless others may write to it. */
const mode = 0o600;
const othersMayWrite = 0o002;

/** Writes the owner's secrets; a later one replaces an earlier one with the same path. Failures are only logged. */
export async function writeSecretFiles(
  files: readonly SecretFile[],
  logger: Logger,
): Promise<void> {
  for (const { path, content } of files) {
    try {
      await makeDirectories(dirname(path), 0o700);
      await writeSecret(await behindOwnLink(path), content);
    } catch (error) {
      logger.warn({ path, error: errorText(error) }, "cannot write secret file");
    }
  }
}

async function writeSecret(path: string, content: Uint8Array): Promise<void> {
  await using file = await openOwnFile(path, { write: "overwrite", mode });
  await file.truncate();
  await file.writeFile(content);
}

/** Follows a link that this user has made, in a directory to which no other user can write. */
async function behindOwnLink(path: string): Promise<string> {
  const user = process.geteuid?.();
  try {
    const found = await lstat(path);
    if (!found.isSymbolicLink() || found.uid !== user) return path;
    const isOpen = ((await stat(dirname(path))).mode & othersMayWrite) !== 0;
    return isOpen ? path : await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return path;
    throw error;
  }
}
