import { constants } from "node:fs";
import { lstat, mkdir, open, rename, symlink, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { systemErrorCode } from "@slipway/runtime";
import { extract, type Header } from "tar-stream";

import { CommandError } from "../../command/errors.ts";
import { partName, permissionBits, type Totals } from "./copy.ts";

interface UnpackOptions {
  /** True to keep modes whatever the umask. */
  readonly keepsModes: boolean;
  /** The number of directories above within the tree, out of which links may lead. */
  readonly depth: number;
  /** Gets the omitted entries, each with the reason. */
  readonly skipped: Set<string>;
  /** Counts a file once it has its name. */
  readonly add: (totals: Totals) => void;
  readonly signal: AbortSignal;
}

/**
 * Unpacks a tar that comes from a workspace below a directory, whatever it says: nothing is written outside of the
 * directory or through a link, no link leads out, and neither devices nor special permissions are created. A file gets
 * its name once it is complete. Throws `CommandError` for such a path.
 */
export async function unpackTree(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions,
): Promise<void> {
  const { depth, skipped, add, signal } = options;
  const archive = extract();
  let failure: unknown;
  const source = watched(tar, (error) => (failure = error));
  const reading = pipeline(Readable.from(source, { objectMode: false }), archive, { signal });
  // The loop below fails too.
  reading.catch(() => undefined);
  const checked = new Set<string>();
  try {
    for await (const entry of archive) {
      const { header } = entry;
      const parts = safeParts(header.name);
      const path = join(directory, ...parts);
      const isDirectory = header.type === "directory";
      if (isLossy(header.name)) {
        skipped.add(lossyText(path));
        entry.resume();
        continue;
      }
      await makeParents(directory, isDirectory ? parts : parts.slice(0, -1), checked);
      const size: number | null | undefined = header.size;
      // The library takes an unreadable size for an infinite one.
      if (size === null) throw new CommandError(`the archive has no size for ${path}`);
      if (header.type === "file" || header.type === "contiguous-file") {
        await writeFile(path, entry, header, options);
        add({ files: 1, bytes: size ?? 0 });
        continue;
      }
      if (header.type === "symlink") {
        const problem = await writeLink(path, depth + parts.length, header.linkname ?? "");
        if (problem === undefined) add({ files: 1, bytes: 0 });
        else skipped.add(problem);
      } else if (!isDirectory) skipped.add(`${path} is a ${header.type ?? "thing"}, skipped`);
      entry.resume();
    }
  } catch (error) {
    archive.destroy();
    // The library may only say that its stream has ended.
    throw error instanceof CommandError ? error : (failure ?? error);
  }
  await reading;
}

/** Yields bytes, and hands on the error with which they end. */
async function* watched(
  bytes: AsyncIterable<Uint8Array>,
  onFailure: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    onFailure(error);
    throw error;
  }
}

/** Returns whether a name has lost bytes that are not UTF-8. */
export function isLossy(name: string): boolean {
  return name.includes("\uFFFD");
}

export function lossyText(path: string): string {
  return `${path} has a name that is not UTF-8, skipped`;
}

/** Splits the name of an entry. Throws `CommandError` for one that leads out of the directory. */
export function safeParts(name: string): readonly string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const isUnsafe = parts.length === 0 || parts.includes("..") || /^\/|[\\\0]|^[A-Za-z]:/.test(name);
  if (!isUnsafe) return parts;
  throw new CommandError(
    `the workspace sent a file ${JSON.stringify(name.slice(0, 100))}, which is outside the directory`,
  );
}

/** Creates the directories of an entry; none of them may be a link. */
async function makeParents(
  directory: string,
  parts: readonly string[],
  checked: Set<string>,
): Promise<void> {
  for (const [index] of parts.entries()) {
    const path = join(directory, ...parts.slice(0, index + 1));
    if (checked.has(path)) continue;
    try {
      await mkdir(path);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      const found = await lstat(path);
      if (!found.isDirectory()) {
        throw new CommandError(`${path} is a link or a file, wanted a directory`);
      }
    }
    checked.add(path);
  }
}

/** Writes a file beside its place, which it takes when it is complete. */
async function writeFile(
  path: string,
  content: AsyncIterable<unknown>,
  { mode, mtime, size }: Header,
  { keepsModes }: UnpackOptions,
): Promise<void> {
  await requireFile(path);
  const part = join(dirname(path), partName(basename(path), path));
  await unlink(part).catch((error: unknown) => {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = await open(part, flags, mode & permissionBits);
  try {
    let written = 0;
    for await (const chunk of content) {
      if (!(chunk instanceof Uint8Array)) continue;
      // Unlike `write`, it goes on after a system that took a part, as does one whose disk is almost full.
      await file.writeFile(chunk);
      written += chunk.length;
    }
    if (written !== size) throw new Error(`${path} ends at byte ${written}, wanted ${size}`);
    if (keepsModes) await file.chmod(mode & permissionBits);
    if (mtime !== undefined) await file.utimes(new Date(), mtime);
    await rename(part, path);
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

/** Throws `CommandError` if something other than a regular file is there. */
async function requireFile(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined || found.isFile()) return;
  throw new CommandError(
    found.isSymbolicLink()
      ? `${path} is a link, and was not written through`
      : `${path} is not a regular file`,
  );
}

/**
 * Creates a link within the tree; returns the reason for leaving one out. `level` is the number of names from the top of
 * the tree to the link.
 */
export async function writeLink(
  path: string,
  level: number,
  target: string,
): Promise<string | undefined> {
  if (leadsOut(level, target)) {
    return `${path} is a link to ${JSON.stringify(target.slice(0, 100))}, outside the directory, skipped`;
  }
  try {
    await symlink(target, path);
    return undefined;
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    return `${path} exists, so the link was skipped`;
  }
}

/** Returns whether a link may lead out: below another link, `..` is not where its path says. */
function leadsOut(level: number, target: string): boolean {
  if (target === "" || /^[/\\]|^[A-Za-z]:|\0/.test(target)) return true;
  const names = target.split("/").filter((part) => part !== "" && part !== ".");
  const ups = names.findIndex((part) => part !== "..");
  const count = ups < 0 ? names.length : ups;
  return count > level - 1 || names.lastIndexOf("..") >= count;
}
