import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  link,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { DriverError } from "../errors.ts";

/**
 * Returns the commands with every file readable by every user: files that are not, in a checkout below `/root` for
 * instance, are published in `directory`. Removes what earlier releases published there.
 */
export async function publishCommands(
  commands: readonly (readonly string[])[],
  directory: string,
): Promise<readonly (readonly string[])[]> {
  const kept = new Set<string>();
  const published: string[][] = [];
  for (const command of commands) {
    const words: string[] = [];
    for (const [index, word] of command.entries()) {
      const isProgram = index === 0;
      if (!isAbsolute(word) || (await isPublic(word, isProgram))) {
        words.push(word);
        continue;
      }
      const folder = await publish(word, directory, isProgram);
      kept.add(basename(folder));
      words.push(join(folder, basename(word)));
    }
    published.push(words);
  }
  await removeOthers(directory, kept);
  return published;
}

/** Returns whether unprivileged users can read the file, and execute a program. A missing file is not ours. */
async function isPublic(path: string, isProgram: boolean): Promise<boolean> {
  try {
    const real = await realpath(path);
    const { mode } = await stat(real);
    const wanted = isProgram ? 0o005 : 0o004;
    if ((mode & wanted) !== wanted) return false;
    for (const start of new Set([dirname(path), dirname(real)])) {
      if ((await closedFolderAbove(start)) !== undefined) return false;
    }
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return true;
    throw error;
  }
}

/** Returns the first folder, from this one up, that unprivileged users cannot traverse. */
async function closedFolderAbove(folder: string): Promise<string | undefined> {
  for (let path = folder; ; path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return path;
    if (path === dirname(path)) return undefined;
  }
}

/** Lets every user traverse our own folders, and throws `not-startable` if another folder is in the way. */
export async function allowTraversalTo(folder: string, own: readonly string[]): Promise<void> {
  for (const path of own) await chmod(path, ((await stat(path)).mode & 0o7777) | 0o011);
  const closed = await closedFolderAbove(folder);
  if (closed === undefined) return;
  throw new DriverError(
    "not-startable",
    `workspace users cannot traverse ${closed} to reach ${folder}: set SLIPWAY_DATA_DIR to a directory elsewhere, such as /var/lib/slipway, or chmod o+x ${closed}`,
  );
}

async function publish(path: string, directory: string, isProgram: boolean): Promise<string> {
  const { dev, ino, size, mtimeMs, mode } = await stat(path);
  const identity = [path, dev, ino, size, mtimeMs].join("\n");
  const folder = join(directory, createHash("sha256").update(identity).digest("hex").slice(0, 16));
  const target = join(folder, basename(path));
  await makeDirectories(folder, 0o755);
  await openFolder(folder);
  if (await exists(target)) return folder;
  const unfinished = `${target}.new`;
  await rm(unfinished, { force: true });
  const wanted = isProgram ? 0o755 : 0o644;
  if ((mode & wanted) === wanted) await linkOrCopy(path, unfinished);
  else await copyFile(path, unfinished);
  if (((await stat(unfinished)).mode & wanted) !== wanted) await chmod(unfinished, wanted);
  // Replaces the `package.json` of the file's original package.
  await writeFile(join(folder, "package.json"), '{"type":"module"}\n', { mode: 0o644 });
  await rename(unfinished, target);
  return folder;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(await realpath(from), to);
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP"].includes(systemErrorCode(error) ?? ""))
      throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}

/** Opens a folder and its parent to everyone: the umask may have narrowed their modes. */
async function openFolder(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  await chmod(dirname(folder), 0o755);
}

async function removeOthers(directory: string, kept: ReadonlySet<string>): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  for (const name of names) {
    if (/^[\da-f]{16}$/.test(name) && !kept.has(name)) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
