import { realpath, stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { errorText, systemErrorCode } from "@slipway/runtime";
import type { Pack } from "tar-stream";

import { expandVariables } from "../process/expand.ts";
import { fileTurns } from "../process/turns.ts";
import { timeText } from "./describe-file.ts";
import { findFiles, isGlob } from "./find-files.ts";
import { requireRegular } from "./open-file.ts";
import { absolutePath, anyBytes, pathText } from "./paths.ts";
import { openRange } from "./read-file.ts";
import { entryTime, writeTar } from "./tar-writer.ts";

/** The limits of a bundle (docs/protocol/agent.md §8.3). */
export interface BundleLimits {
  readonly maxFiles: number;
  /** The end of a larger file is kept. */
  readonly maxBytesPerFile: number;
  /** The maximum size of the archive, roughly. */
  readonly maxTotalBytes: number;
}

export const usualBundleLimits: BundleLimits = {
  maxFiles: 10_000,
  maxBytesPerFile: 10 * 1024 * 1024,
  maxTotalBytes: 100 * 1024 * 1024,
};

/** The size of a header in an archive, and of its blocks. */
const blockBytes = 512;
/** The maximum number of problems in a manifest. */
const maxProblems = 10_000;
const fileMode = 0o644;

interface BundleNeeds {
  readonly limits: BundleLimits;
  readonly home: string;
  /** The variables to which paths may refer. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly owner: object;
  /** Ends the collection; the manifest says so. */
  readonly deadline: AbortSignal;
  /** Ends the archive. */
  readonly signal: AbortSignal;
}

/**
 * Returns a tar of the files that paths and globs name, below `files/`, and of `manifest.json`, which lists them and the
 * problems. A link that is named leads to its file.
 */
export function bundleFiles(requested: readonly string[], needs: BundleNeeds): Readable {
  return writeTar(async (tar) => {
    const bundle = new Bundle(tar, needs);
    await bundle.add(requested);
    const { maxFiles, maxBytesPerFile, maxTotalBytes } = needs.limits;
    const manifest = {
      requested,
      files: bundle.files,
      errors: bundle.problems,
      truncated: bundle.isTruncated,
      limits: {
        max_files: maxFiles,
        max_bytes_per_file: maxBytesPerFile,
        max_total_bytes: maxTotalBytes,
      },
    };
    tar.entry({ name: "manifest.json", mode: fileMode }, JSON.stringify(manifest, undefined, 2));
  });
}

interface BundledFile {
  readonly requested: string;
  readonly path: string;
  readonly archive_path: string;
  readonly size: number;
  readonly mod_time: string;
  readonly bytes_written: number;
  readonly truncated: boolean;
}

interface BundleProblem {
  readonly requested: string;
  readonly path?: string;
  readonly reason: string;
}

/** The files of a bundle so far, as its manifest lists them. */
class Bundle {
  readonly files: BundledFile[] = [];
  readonly problems: BundleProblem[] = [];
  isTruncated = false;
  readonly #tar: Pack;
  readonly #needs: BundleNeeds;
  readonly #known = new Set<string>();
  #bytesLeft: number;

  constructor(tar: Pack, needs: BundleNeeds) {
    this.#tar = tar;
    this.#needs = needs;
    this.#bytesLeft = needs.limits.maxTotalBytes;
  }

  /** Adds what the paths and globs name, up to the first limit. Throws the reason of the signal. */
  async add(requested: readonly string[]): Promise<void> {
    for (const one of requested) {
      if (this.#isFull({ requested: one })) return;
      for (const path of await this.#find(one)) {
        if (this.#isFull({ requested: one, path: pathText(path) })) return;
        await this.#addFile(one, path);
      }
    }
  }

  /** Reports whether a limit is reached, and notes it as the problem of a path. */
  #isFull(place: Omit<BundleProblem, "reason">): boolean {
    const reason = this.#reachedLimit;
    if (reason === undefined) return false;
    this.#cut({ ...place, reason });
    return true;
  }

  get #reachedLimit(): string | undefined {
    const { limits, deadline } = this.#needs;
    if (deadline.aborted) return "the time for collecting files is over";
    if (this.files.length >= limits.maxFiles) return `the limit is ${limits.maxFiles} files`;
    if (this.problems.length >= maxProblems) return `the limit is ${maxProblems} problems`;
    // A file has a header at least.
    if (this.#bytesLeft > blockBytes) return undefined;
    return `the limit is ${limits.maxTotalBytes} bytes in all`;
  }

  #cut(problem: BundleProblem): void {
    this.isTruncated = true;
    this.problems.push(problem);
  }

  /** Resolves to the paths that a path or glob stands for; notes a problem if there are none. */
  async #find(requested: string): Promise<readonly Buffer[]> {
    const { home, environment, owner, signal, deadline, limits } = this.#needs;
    try {
      const text = expandVariables(requested, environment).trim();
      const path = absolutePath(posix.normalize(text), home);
      const found = await fileTurns.run(owner, () =>
        realpath(path, "buffer").catch(() => undefined),
      );
      // A file that has a glob as its name is meant itself.
      if (found !== undefined || !isGlob(pathText(path))) return [found ?? path];
      const max = limits.maxFiles - this.files.length;
      const either = AbortSignal.any([signal, deadline]);
      const { paths, isCut } = await findFiles(pathText(path), { max, owner, signal: either });
      if (isCut) this.#cut({ requested, reason: `the limit is ${limits.maxFiles} files` });
      if (paths.length === 0) this.problems.push({ requested, reason: "no file has such a path" });
      return paths;
    } catch (error) {
      signal.throwIfAborted();
      if (!this.#isFull({ requested })) {
        this.problems.push({ requested, reason: errorText(error) });
      }
      return [];
    }
  }

  async #addFile(requested: string, path: Buffer): Promise<void> {
    const { limits, owner, signal } = this.#needs;
    signal.throwIfAborted();
    const key = path.toString(anyBytes);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    const text = pathText(path);
    try {
      const stats = await fileTurns.run(owner, () => stat(path, { bigint: true }));
      requireRegular(path, stats);
      const [size, mtimeMs] = [Number(stats.size), Number(stats.mtimeMs)];
      const kept = Math.min(size, limits.maxBytesPerFile, this.#bytesLeft - blockBytes);
      const file: BundledFile = {
        requested,
        path: text,
        archive_path: `files${text}`,
        size,
        mod_time: timeText(mtimeMs),
        bytes_written: kept,
        truncated: kept < size,
      };
      const { stream } = await openRange(path, { offset: size - kept, limit: kept }, owner);
      const { archive_path: name } = file;
      const header = { name, mode: fileMode, mtime: entryTime(mtimeMs), size: kept };
      await pipeline(exactly(kept, stream), this.#tar.entry(header), { signal });
      this.files.push(file);
      this.isTruncated ||= file.truncated;
      this.#bytesLeft -= blockBytes * (1 + Math.ceil(kept / blockBytes));
      this.#bytesLeft -= JSON.stringify(file).length;
    } catch (error) {
      signal.throwIfAborted();
      const isGone = systemErrorCode(error) === "ENOENT";
      this.problems.push({
        requested,
        path: text,
        reason: isGone ? "there is no such file" : errorText(error),
      });
    }
  }
}

/** Yields as many bytes as the header states: zeros in place of what the file has lost meanwhile. */
async function* exactly(length: number, content: Readable): AsyncGenerator<Buffer> {
  let left = length;
  try {
    for await (const chunk of content) {
      if (!(chunk instanceof Buffer) || chunk.length > left) break;
      left -= chunk.length;
      yield chunk;
    }
  } catch {
    // It has become shorter, or cannot be read any further.
  }
  while (left > 0) {
    const zeros = Buffer.alloc(Math.min(left, zerosBytes));
    left -= zeros.length;
    yield zeros;
  }
}

const zerosBytes = 64 * 1024;
