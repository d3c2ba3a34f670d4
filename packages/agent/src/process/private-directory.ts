import { lstat, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";

/** The directory of the agent's files in its data directory (docs/protocol/agent.md §4.3). */
export const dataName = "coder-script-data";

/**
 * Returns a directory for temporary files of the agent's user, where nobody else can put programs into the path of its
 * scripts: `temporary` itself, unless another user's agent, or somebody else, has made the directory for the agent's files
 * there. Another agent of the same user shares it.
 */
export async function temporaryDataDirectory(temporary = tmpdir()): Promise<string> {
  if (await makePrivateDirectory(join(temporary, dataName))) return temporary;
  const own = join(temporary, `slipway-agent-${process.geteuid?.() ?? "user"}`);
  // Whoever owns it could put another directory in the place of ours in it.
  const isOurs = await makePrivateDirectory(own);
  if (isOurs && (await makePrivateDirectory(join(own, dataName)))) return own;
  return mkdtemp(join(temporary, "slipway-agent-"));
}

/** Makes a directory that only this user writes. Returns false if somebody else's is in its place, or cannot be looked at. */
export async function makePrivateDirectory(path: string): Promise<boolean> {
  try {
    await makeDirectories(path, 0o700);
    const found = await lstat(path);
    const { uid, mode } = found;
    return found.isDirectory() && uid === process.geteuid?.() && (mode & 0o022) === 0;
  } catch {
    // Its parent is another user's, or a file is in its place.
    return false;
  }
}
