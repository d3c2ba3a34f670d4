import { constants } from "node:fs";
import { type FileHandle, open, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import {
  baseName,
  type CopyNeeds,
  type CopyOptions,
  isDirectoryError,
  partName,
  permissionBits,
  type Totals,
} from "./copy.ts";

/** Copies a file of a workspace to this machine; into `target` if that is a directory. */
export async function downloadFile(
  source: string,
  target: string,
  { preserve }: CopyOptions,
  needs: CopyNeeds,
): Promise<Totals> {
  const { files, progress, signal } = needs;
  const entry = await files.stat(source, { signal });
  if (entry.type === "directory") throw isDirectoryError(source);
  // The name in the answer of the server is no safe path.
  const path = await targetPath(target, baseName(source));
  const name = partName(baseName(path), source, entry.etag);
  const part = join(dirname(path), name);
  await using file = await openPart(part);
  const { size: there } = await file.stat();
  const offset = entry.size > 0 && there <= entry.size ? there : 0;
  const { content } = await files.open(source, { offset, ifMatch: entry.etag, signal });
  progress.begin(baseName(source), { size: entry.size, done: offset });
  const bytes = await append(file, progress.count(content), offset);
  const old = await existingMode(path);
  await file.chmod(preserve || old === undefined ? entry.mode & permissionBits : old);
  if (preserve) await file.utimes(new Date(), new Date(entry.modified_at));
  await rename(part, path);
  return { files: 1, bytes };
}

/** Copies a file of a workspace to standard output. A terminal gets printable text only. */
export async function downloadToStdout(source: string, needs: CopyNeeds): Promise<Totals> {
  const { files, terminal, signal } = needs;
  const { content } = await files.open(source, { signal });
  let bytes = 0;
  if (terminal.out.isTerminal) {
    const decoder = new TextDecoder();
    for await (const chunk of content) {
      bytes += chunk.length;
      terminal.out.write(decoder.decode(chunk, { stream: true }));
    }
    return { files: 1, bytes };
  }
  const { output } = terminal.raw();
  for await (const chunk of content) {
    bytes += chunk.length;
    await new Promise<void>((resolve, reject) => {
      output.write(chunk, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
  }
  return { files: 1, bytes };
}

/** Opens the copy that is not complete, without following a link in its place. */
async function openPart(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    throw new CommandError(`cannot write to ${dirname(path)}`, { cause: error });
  }
}

async function append(
  file: FileHandle,
  content: AsyncIterable<Uint8Array>,
  offset: number,
): Promise<number> {
  await file.truncate(offset);
  let at = offset;
  for await (const chunk of content) {
    for (let written = 0; written < chunk.length;) {
      const { bytesWritten } = await file.write(
        chunk,
        written,
        chunk.length - written,
        at + written,
      );
      written += bytesWritten;
    }
    at += chunk.length;
  }
  return at;
}

async function targetPath(target: string, name: string): Promise<string> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) {
    if (target.endsWith("/")) throw new CommandError(`${target} is not a directory`);
    return target;
  }
  if (name === "" || name === "." || name === ".." || name === "~") {
    throw new CommandError(`the source has no name for a file in ${target}`);
  }
  const path = join(target, name);
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new CommandError(`${path} is a directory`);
  }
  return path;
}

async function existingMode(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & permissionBits;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
