import { constants } from "node:fs";
import { lstat, mkdir, open, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { systemErrorCode } from "@slipway/runtime";
import { extract, type Header } from "tar-stream";

import { CommandError } from "../../command/errors.ts";
import { permissionBits, type Totals } from "./copy.ts";

interface UnpackOptions {
  /** True to keep the times of modification. */
  readonly keepsTimes: boolean;
  readonly signal: AbortSignal;
}

interface UnpackedTree {
  readonly totals: Totals;
  /** The omitted entries, each with the reason. */
  readonly skipped: readonly string[];
}

/**
 * Unpacks a tar that comes from a workspace below a directory, whatever it says: nothing is written outside of the
 * directory or through a link, no link leads out, and neither devices nor special permissions are created. Throws
 * `CommandError` for such a path.
 */
export async function unpackTree(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions,
): Promise<UnpackedTree> {
  const archive = extract();
  const reading = pipeline(Readable.from(tar, { objectMode: false }), archive, {
    signal: options.signal,
  });
  // The loop below fails with the same error.
  reading.catch(() => undefined);
  const checked = new Set<string>();
  const skipped: string[] = [];
  let [files, bytes] = [0, 0];
  for await (const entry of archive) {
    const { header } = entry;
    const parts = safeParts(header.name);
    const path = join(directory, ...parts);
    await makeParents(directory, header.type === "directory" ? parts : parts.slice(0, -1), checked);
    const size: number | null | undefined = header.size;
    // The library takes an unreadable size for an infinite one.
    if (size === null) throw new CommandError(`the archive has no size for ${path}`);
    if (header.type === "file" || header.type === "contiguous-file") {
      await writeFile(path, entry, header, options);
      [files, bytes] = [files + 1, bytes + (size ?? 0)];
    } else if (header.type === "symlink") {
      const problem = await writeLink(path, parts, header.linkname ?? "");
      if (problem === undefined) files += 1;
      else skipped.push(problem);
      entry.resume();
    } else {
      if (header.type !== "directory")
        skipped.push(`${path} is a ${header.type ?? "thing"}, skipped`);
      entry.resume();
    }
  }
  await reading;
  return { totals: { files, bytes }, skipped };
}

/** Splits the name of an entry. Throws `CommandError` for one that leads out of the directory. */
function safeParts(name: string): readonly string[] {
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

async function writeFile(
  path: string,
  content: AsyncIterable<unknown>,
  { mode, mtime }: Header,
  { keepsTimes }: UnpackOptions,
): Promise<void> {
  const flags =
    constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await openFile(path, flags, mode & permissionBits);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new CommandError(`${path} is not a regular file`);
    await file.truncate(0);
    for await (const chunk of content) if (chunk instanceof Uint8Array) await file.write(chunk);
    if (keepsTimes) await file.chmod(mode & permissionBits);
  } finally {
    await file.close();
  }
  if (keepsTimes && mtime !== undefined) await utimes(path, new Date(), mtime);
}

async function openFile(path: string, flags: number, mode: number) {
  try {
    return await open(path, flags, mode);
  } catch (error) {
    if (systemErrorCode(error) === "ELOOP") {
      throw new CommandError(`${path} is a link, and was not written through`);
    }
    throw error;
  }
}

/** Creates a link within the tree; returns the reason for leaving one out. */
async function writeLink(
  path: string,
  parts: readonly string[],
  target: string,
): Promise<string | undefined> {
  if (leadsOut(parts, target)) {
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
function leadsOut(parts: readonly string[], target: string): boolean {
  if (target === "" || /^[/\\]|^[A-Za-z]:|\0/.test(target)) return true;
  const names = target.split("/").filter((part) => part !== "" && part !== ".");
  const ups = names.findIndex((part) => part !== "..");
  const count = ups < 0 ? names.length : ups;
  return count > parts.length - 1 || names.lastIndexOf("..") >= count;
}
