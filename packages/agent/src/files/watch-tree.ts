import { type FSWatcher, watch } from "node:fs";
import { lstat, opendir } from "node:fs/promises";

import type { FileChange } from "@slipway/api/agents/file-routes";
import { systemErrorCode } from "@slipway/runtime";

import { fileTurns } from "../process/turns.ts";
import { FileError } from "./errors.ts";
import { anyBytes, childPath, pathText, splitPath } from "./paths.ts";
import { existing } from "./write-file.ts";

/** The default maximum number of directories of a watch. */
const usualDirectories = 4_096;
/** The maximum number of changes that wait for a slow reader; more become an overflow. */
const maxPending = 4_096;
/** The maximum number of changes in a report. */
const maxReported = 256;
/** The time for which changes are gathered. */
const gatherMs = 50;

interface WatchOptions {
  readonly isRecursive: boolean;
  /** The maximum number of directories (default: 4,096). */
  readonly maxDirectories?: number;
  readonly owner: object;
  readonly signal: AbortSignal;
  /** Reports changes, and once nothing when the watch has begun; nothing more is reported until it resolves. */
  readonly report: (changes: readonly FileChange[]) => Promise<void>;
}

/**
 * Watches a file or directory until the signal. Links are not followed. Throws `FileError`, and the errors of the system
 * and of `report`.
 */
export async function watchTree(path: Buffer, options: WatchOptions): Promise<void> {
  using tree = new WatchedTree(path, options);
  await tree.begin();
  await options.report([]);
  await tree.run();
}

/** The kind of a change: an entry came or went, or its content changed. */
type Hint = "entry" | "content";

class WatchedTree implements Disposable {
  readonly #path: Buffer;
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  /** The paths to look at, without loss of bytes. */
  #pending = new Map<string, Hint>();
  #hasOverflow = false;
  #wake = Promise.withResolvers<void>();
  /** The only name that counts, if a file is watched by its directory. */
  #only: string | undefined;

  constructor(path: Buffer, options: WatchOptions) {
    this.#path = path;
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#wake.resolve(), { once: true });
  }

  async begin(): Promise<void> {
    const { owner } = this.#options;
    const stats = await fileTurns.run(owner, () => lstat(this.#path));
    if (stats.isDirectory()) {
      await this.#add(this.#path, () => undefined);
      return;
    }
    // A file that is replaced is another one: only its directory tells.
    const { directory, name } = splitPath(this.#path);
    this.#only = name.toString(anyBytes);
    this.#watch(directory);
  }

  /** Reports changes until the signal. */
  async run(): Promise<void> {
    const { signal, report } = this.#options;
    while (!signal.aborted) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
      await gathered();
      const pending = this.#pending;
      this.#pending = new Map();
      const changes = this.#takeOverflow();
      for (const [path, hint] of pending) {
        if (signal.aborted) return;
        changes.push(...(await this.#look(Buffer.from(path, anyBytes), hint)));
      }
      for (let at = 0; at < changes.length && !signal.aborted; at += maxReported) {
        await report(changes.slice(at, at + maxReported));
      }
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #takeOverflow(): FileChange[] {
    if (!this.#hasOverflow) return [];
    this.#hasOverflow = false;
    return [{ type: "overflow", path: pathText(this.#path) }];
  }

  /** Returns what has happened at a path; a directory that came is watched, and what is in it came too. */
  async #look(path: Buffer, hint: Hint): Promise<readonly FileChange[]> {
    const { owner, isRecursive } = this.#options;
    const found = await fileTurns.run(owner, () => existing(path)).catch(() => undefined);
    const text = pathText(path);
    if (found === undefined) {
      this.#forget(path);
      return [{ type: "removed", path: text }];
    }
    if (hint === "content") return [{ type: "changed", path: text }];
    const changes: FileChange[] = [{ type: "created", path: text }];
    if (found.isDirectory() && isRecursive) {
      try {
        await this.#add(path, (child) => changes.push({ type: "created", path: pathText(child) }));
      } catch {
        changes.push({ type: "overflow", path: text });
      }
    }
    return changes;
  }

  /** Watches a directory, and those below it in a recursive watch; calls `seen` with each entry. */
  async #add(directory: Buffer, seen: (path: Buffer) => void): Promise<void> {
    const { owner, isRecursive, signal } = this.#options;
    signal.throwIfAborted();
    this.#watch(directory);
    if (!isRecursive) return;
    const below: Buffer[] = [];
    await fileTurns.run(owner, async () => {
      await using entries = await opendir(directory, { encoding: anyBytes, bufferSize: 1_024 });
      for (let entry = await entries.read(); entry !== null; entry = await entries.read()) {
        const child = childPath(directory, entry.name);
        seen(child);
        if (entry.isDirectory()) below.push(child);
        this.#requireRoom(below.length);
      }
    });
    for (const child of below) {
      await this.#add(child, seen).catch((error: unknown) => {
        // It may have gone, or be another user's.
        if (error instanceof FileError || signal.aborted) throw error;
      });
    }
  }

  #watch(directory: Buffer): void {
    const key = directory.toString(anyBytes);
    if (this.#watchers.has(key)) return;
    this.#requireRoom(1);
    const watcher = openWatcher(directory, (event, name) => {
      if (name === null) return;
      if (this.#only !== undefined && name.toString(anyBytes) !== this.#only) return;
      this.#hint(childPath(directory, name), event === "rename" ? "entry" : "content");
    });
    // A directory that can no longer be watched is gone, which its own directory tells.
    watcher.on("error", () => this.#forget(directory));
    this.#watchers.set(key, watcher);
  }

  #hint(path: Buffer, hint: Hint): void {
    const key = path.toString(anyBytes);
    if (this.#pending.size >= maxPending && !this.#pending.has(key)) {
      this.#pending.clear();
      this.#hasOverflow = true;
    }
    // That an entry came includes that it has content.
    if (this.#pending.get(key) !== "entry") this.#pending.set(key, hint);
    this.#wake.resolve();
  }

  /** Ends the watches of a directory that has gone, and of those below it. */
  #forget(directory: Buffer): void {
    const key = directory.toString(anyBytes);
    for (const [path, watcher] of this.#watchers) {
      if (path !== key && !path.startsWith(`${key}/`)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
  }

  #requireRoom(count: number): void {
    const { maxDirectories = usualDirectories } = this.#options;
    if (this.#watchers.size + count <= maxDirectories) return;
    throw new FileError("too-large", `a watch has at most ${maxDirectories} directories`);
  }
}

function openWatcher(
  directory: Buffer,
  listener: (event: string, name: Buffer | null) => void,
): FSWatcher {
  try {
    return watch(directory, { encoding: "buffer" }, listener);
  } catch (error) {
    throw watchProblem(error);
  }
}

/** Returns the error of a watch that the machine has no room for: inotify(7) uses the code of a full disk. */
export function watchProblem(error: unknown): unknown {
  const limit = inotifyLimits.get(systemErrorCode(error) ?? "");
  if (limit === undefined) return error;
  const message = `the machine can watch no more directories: raise fs.inotify.${limit}`;
  return new FileError("too-large", message, { cause: error });
}

const inotifyLimits: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "max_user_watches"],
  ["EMFILE", "max_user_instances"],
]);

function gathered(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, gatherMs);
  });
}
