import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface ReplaceFileOptions {
  /** The permissions of the file, regardless of the umask. */
  readonly mode: number;
  /** Waits until the file and its name are on disk; by default a power failure may leave the old file. */
  readonly isDurable?: boolean;
}

/**
 * Writes a file atomically: a reader meanwhile, or after a crash, finds the old content or the new one, never a part.
 * Writes first to a new name beside it, without following links, which a crash may leave behind: `<path>.new-…`.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { mode, isDurable = false }: ReplaceFileOptions,
): Promise<void> {
  const temporary = `${path}.new-${randomBytes(4).toString("hex")}`;
  try {
    await writeNew(temporary, content, { mode, isDurable });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (!isDurable) return;
  await using directory = await open(dirname(path));
  await directory.sync();
}

async function writeNew(
  path: string,
  content: string | Uint8Array,
  { mode, isDurable }: Required<ReplaceFileOptions>,
): Promise<void> {
  await using file = await open(path, "wx", mode);
  await file.writeFile(content);
  await file.chmod(mode);
  if (isDurable) await file.sync();
}
