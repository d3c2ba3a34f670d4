import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readlink,
  rename,
  unlink,
} from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";

import { fileTurns } from "../process/turns.ts";
import { etagOf, rightsBits } from "./describe-file.ts";
import { FileError, namedError } from "./errors.ts";
import { openRegular, openWithoutEffect, requireRegular } from "./open-file.ts";
import { childPath, pathText, splitPath } from "./paths.ts";

/** The maximum number of symbolic links that are followed, as on Linux. */
const maxLinks = 40;
const newFileMode = 0o666;
const newDirectoryMode = 0o755;
/** The maximum length of a name, in bytes. */
const maxNameBytes = 255;

/** The state of a file that a write requires. */
export type WriteCondition =
  | { readonly kind: "any" }
  /** The file must not exist. */
  | { readonly kind: "absent" }
  /** The file must have this etag. */
  | { readonly kind: "etag"; readonly etag: string };

export interface WriteOptions {
  readonly condition: WriteCondition;
  /** Undefined for that of the file that is replaced, or the default of the system. */
  readonly mode: number | undefined;
  readonly modifiedAtMs: number | undefined;
  /** True to create the directories above. */
  readonly makesParents: boolean;
  /** True to write to the target of a link, false to refuse a link. */
  readonly followsLinks: boolean;
  readonly owner: object;
}

/**
 * Replaces a file by the content once all of it has arrived: a reader meanwhile finds the old file, and a failure leaves
 * it. Resolves to the path of the file itself. Throws `FileError`, and the errors of the system and of
 * the content.
 */
export async function replaceContent(
  path: Buffer,
  content: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<Buffer> {
  const { owner, condition, makesParents, followsLinks } = options;
  const target = await fileTurns.run(owner, async () => {
    if (makesParents) await makeParents(path);
    return followsLinks ? followLinks(path) : path;
  });
  await fileTurns.run(owner, async () =>
    requireCondition(target, await existing(target), condition),
  );
  const temporary = await openTemporary(target, owner);
  try {
    await writeAll(temporary.file, content, { at: 0, owner });
    await fileTurns.run(owner, async () => {
      const found = await existing(target);
      requireCondition(target, found, condition);
      await finish(temporary.file, found, options);
      if (condition.kind === "absent") await linkNew(temporary.path, target);
      else await rename(temporary.path, target);
    });
    return target;
  } catch (error) {
    await fileTurns.runPatiently(owner, () => removeTemporary(temporary.path));
    throw error;
  } finally {
    await temporary.file.close();
  }
}

/**
 * Writes the content from `offset` on in the file itself, and cuts off what follows. An interruption leaves what has
 * arrived, so that the writer can continue at the end of the file. Throws like `replaceContent`.
 */
export async function writeFrom(
  path: Buffer,
  content: AsyncIterable<Uint8Array>,
  { offset, ...options }: WriteOptions & { readonly offset: number },
): Promise<Buffer> {
  const { owner, condition, makesParents } = options;
  const { file, stats } = await fileTurns.run(owner, async () => {
    if (makesParents) await makeParents(path);
    if (offset === 0 && (await existing(path)) === undefined) await createEmpty(path);
    return openRegular(path, constants.O_WRONLY);
  });
  try {
    requireCondition(path, stats, condition);
    if (BigInt(offset) > stats.size) {
      throw new FileError("changed", `${pathText(path)} has ${stats.size} bytes, wanted ${offset}`);
    }
    await fileTurns.run(owner, () => file.truncate(offset));
    await writeAll(file, content, { at: offset, owner });
    await fileTurns.run(owner, () => finish(file, stats, options));
    return path;
  } finally {
    await file.close();
  }
}

/** Returns the path to which symbolic links lead; nothing needs to exist there. */
export async function followLinks(path: Buffer): Promise<Buffer> {
  let at = path;
  for (let links = 0; links <= maxLinks; links += 1) {
    const found = await existing(at);
    if (found === undefined || !found.isSymbolicLink()) return at;
    const target = await readlink(at, "buffer");
    at = target[0] === 0x2f ? target : childPath(splitPath(at).directory, target);
  }
  throw new FileError("invalid", `${pathText(path)} leads through more than ${maxLinks} links`);
}

/** Creates the directories above a path, as far as there are none. */
export async function makeParents(path: Buffer): Promise<void> {
  const { directory } = splitPath(path);
  // Node.js decodes the path of a recursive `mkdir`, so each directory is created by itself.
  try {
    await mkdir(directory, newDirectoryMode);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || directory.equals(path)) throw error;
    await makeParents(directory);
    await mkdir(directory, newDirectoryMode).catch((again: unknown) => {
      if (systemErrorCode(again) !== "EEXIST") throw again;
    });
  }
}

/** Resolves to the status of a file, or of the link itself; undefined if there is none. */
export async function existing(path: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function requireCondition(
  path: Buffer,
  found: BigIntStats | undefined,
  condition: WriteCondition,
): void {
  if (found !== undefined) requireRegular(path, found);
  switch (condition.kind) {
    case "any":
      return;
    case "absent":
      if (found !== undefined) throw new FileError("changed", `${pathText(path)} exists`);
      return;
    case "etag":
      if (found !== undefined && etagOf(found) === condition.etag) return;
      throw new FileError("changed", `${pathText(path)} has changed`);
  }
}

interface TemporaryFile {
  readonly path: Buffer;
  readonly file: FileHandle;
}

/** Creates a file beside the target, without following links (docs/protocol/agent.md §8.3). */
async function openTemporary(target: Buffer, owner: object): Promise<TemporaryFile> {
  const { directory, name } = splitPath(target);
  if (name.length === 0) throw new FileError("wrong-type", "/ is a directory");
  const end = Buffer.from(`.tmp.${randomBytes(4).toString("hex")}`);
  const start = name.subarray(0, maxNameBytes - end.length - 1);
  const path = childPath(directory, Buffer.concat([Buffer.from("."), start, end]));
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | openWithoutEffect;
  try {
    return { path, file: await fileTurns.run(owner, () => open(path, flags, newFileMode)) };
  } catch (error) {
    throw namedError(pathText(target), error);
  }
}

async function createEmpty(path: Buffer): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | openWithoutEffect;
  const file = await open(path, flags, newFileMode);
  await file.close();
}

async function writeAll(
  file: FileHandle,
  content: AsyncIterable<Uint8Array>,
  { at, owner }: { readonly at: number; readonly owner: object },
): Promise<void> {
  let position = at;
  for await (const chunk of content) {
    await fileTurns.run(owner, async () => {
      for (let written = 0; written < chunk.length;) {
        const left = chunk.length - written;
        const { bytesWritten } = await file.write(chunk, written, left, position + written);
        written += bytesWritten;
      }
    });
    position += chunk.length;
  }
}

/** Gives a written file its permissions, its owner as far as this user may, and its time. */
async function finish(
  file: FileHandle,
  replaced: BigIntStats | undefined,
  { mode, modifiedAtMs }: WriteOptions,
): Promise<void> {
  if (replaced !== undefined) {
    const own = await file.stat();
    const [uid, gid] = [Number(replaced.uid), Number(replaced.gid)];
    if (own.uid !== uid || own.gid !== gid) {
      // Only root may give files away.
      await file.chown(uid, gid).catch(() => undefined);
    }
  }
  const wanted = mode ?? (replaced === undefined ? undefined : Number(replaced.mode) & rightsBits);
  if (wanted !== undefined) await file.chmod(wanted);
  if (modifiedAtMs !== undefined) await file.utimes(Date.now() / 1000, modifiedAtMs / 1000);
}

async function linkNew(temporary: Buffer, target: Buffer): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw new FileError("changed", `${pathText(target)} exists`, { cause: error });
  }
  await unlink(temporary);
}

async function removeTemporary(path: Buffer): Promise<void> {
  try {
    await unlink(path);
  } catch {
    // The directory itself may have gone.
  }
}
