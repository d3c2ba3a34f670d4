import type { Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";

import type { FileEntry } from "@slipway/api/agents/file-routes";
import { ApiError } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import {
  baseName,
  type CopyNeeds,
  type CopyOptions,
  isDirectoryError,
  partName,
  permissionBits,
  remoteJoin,
  resumableBytes,
  type Totals,
  untilCopied,
} from "./copy.ts";

const chunkBytes = 256 * 1024;

/** Copies a file to a workspace; into `target` if that is a directory. */
export async function uploadFile(
  source: string,
  target: string,
  options: CopyOptions,
  needs: CopyNeeds,
): Promise<Totals> {
  const stats = await stat(source);
  if (stats.isDirectory()) throw isDirectoryError(source);
  if (!stats.isFile()) throw new CommandError(`${source} is not a regular file`);
  const { path, existing } = await targetFile(target, baseName(resolve(source)), needs);
  const terms = termsOf(stats, existing, options);
  needs.progress.begin(baseName(path), { size: stats.size });
  if (stats.size < resumableBytes) {
    const content = needs.progress.count(readFrom(source, 0));
    await needs.files.write(path, content, { ...terms, signal: needs.signal });
  } else {
    await uploadResumably({ source, stats, path, terms }, needs);
  }
  return { files: 1, bytes: stats.size };
}

/** Copies standard input to a file of a workspace. */
export async function uploadStdin(target: string, needs: CopyNeeds): Promise<Totals> {
  const { files, terminal, progress, signal } = needs;
  const found = await find(target, needs);
  if (found?.type === "directory") {
    throw new CommandError(`${target} is a directory, wanted the path of a file for stdin`);
  }
  progress.begin("standard input", {});
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of progress.count<Buffer>(terminal.raw().input)) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  await files.write(target, counted(), { signal });
  return { files: 1, bytes };
}

interface Terms {
  readonly mode?: number;
  readonly modifiedAt?: Date;
}

/** Returns the mode and time of a copy: a file that is replaced keeps its mode, as with `cp`. */
function termsOf(stats: Stats, existing: FileEntry | undefined, { preserve }: CopyOptions): Terms {
  const mode = preserve || existing === undefined ? stats.mode : existing.mode;
  return {
    mode: mode & permissionBits,
    ...(preserve ? { modifiedAt: stats.mtime } : {}),
  };
}

export interface ResumableUpload {
  readonly source: string;
  readonly stats: Stats;
  readonly path: string;
  readonly terms: Terms;
}

/** Copies to a file beside the target, which takes its place at the end; goes on where an earlier attempt ended. */
export async function uploadResumably(
  { source, stats, path, terms }: ResumableUpload,
  needs: CopyNeeds,
): Promise<void> {
  const { files, progress, signal } = needs;
  const name = partName(baseName(path), resolve(source), stats.size, stats.mtimeMs);
  const part = path.slice(0, path.length - baseName(path).length) + name;
  await untilCopied(async (report) => {
    const found = await find(part, needs);
    const offset = found !== undefined && found.size <= stats.size ? found.size : 0;
    report(offset);
    progress.begin(baseName(path), { size: stats.size, done: offset });
    const content = progress.count(readFrom(source, offset));
    await files.write(part, content, { ...terms, offset, signal });
  }, needs);
  await files.move(part, path, { overwrite: true, signal });
}

async function* readFrom(path: string, offset: number): AsyncGenerator<Buffer<ArrayBuffer>> {
  await using file = await open(path);
  for (let at = offset; ;) {
    const chunk = Buffer.alloc(chunkBytes);
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

interface TargetFile {
  readonly path: string;
  readonly existing: FileEntry | undefined;
}

/** Returns the path of a copy: `name` in the target if that is a directory. */
async function targetFile(target: string, name: string, needs: CopyNeeds): Promise<TargetFile> {
  const found = await find(target, needs);
  if (found?.type !== "directory") {
    if (target.endsWith("/")) throw new CommandError(`${target} is not a directory`);
    return { path: target, existing: found };
  }
  const path = remoteJoin(target, name);
  const existing = await find(path, needs);
  if (existing?.type === "directory") throw new CommandError(`${path} is a directory`);
  return { path, existing };
}

/** Describes what has a path in the workspace; undefined if nothing has. */
export async function find(
  path: string,
  { files, signal }: CopyNeeds,
): Promise<FileEntry | undefined> {
  try {
    return await files.stat(path, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
