import { lstat, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";

/** The directory of the agent's files in its data directory (docs/protocol/agent.md §4.3). */
export const dataName = "coder-script-data";

/**
 * Resolves to a directory for temporary files of the agent's user, in which no other user can put programs into the
 * path of its scripts: `temporary` itself, unless another user has created the directory for the agent's files there.
 * Agents of one user share it.
 */
export async function temporaryDataDirectory(temporary = tmpdir()): Promise<string> {
  if (await makePrivateDirectory(join(temporary, dataName))) return temporary;
  const own = join(temporary, `slipway-agent-${process.geteuid?.() ?? "user"}`);
  // Its owner could replace our directory in it.
  const isOurs = await makePrivateDirectory(own);
  if (isOurs && (await makePrivateDirectory(join(own, dataName)))) return own;
  return mkdtemp(join(temporary, "slipway-agent-"));
}

/**
 * Creates a directory that only this user can write to. Resolves to false if another user's directory is in its
 * place.
 */
export async function makePrivateDirectory(path: string): Promise<boolean> {
  try {
    await makeDirectories(path, 0o700);
    const found = await lstat(path);
    const { uid, mode } = found;
    return found.isDirectory() && uid === process.geteuid?.() && (mode & 0o022) === 0;
  } catch {
    // The parent is another user's, or a file is in its place.
    return false;
  }
}
