import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { pruneCompiled } from "./prune-compiled.ts";

export interface CompiledCodeOptions {
  /** The directory of the cache, which contains code: only this user may write there. Undefined for no cache. */
  readonly cacheDirectory: string | undefined;
  /** The first word of the command line, or the name of a part. Each has its own cache. */
  readonly command: string | undefined;
}

/** The file that caches the code of one command of a bundle. */
export interface CompiledCode {
  /** Returns its content; undefined if there is none. */
  read(): Buffer | undefined;
  /** Writes what `content` returns when the process ends with success; nothing if it returns undefined. */
  replaceAtExit(content: () => Uint8Array | undefined): void;
}

/** The names of commands; all other words share one cache. */
const commandName = /^[a-z][a-z-]{0,31}$/;

/** Opens the cache of a command for the current state of a bundle. */
export function openCompiledCode(
  bundle: string,
  { cacheDirectory, command }: CompiledCodeOptions,
): CompiledCode {
  if (cacheDirectory === undefined)
    return { read: () => undefined, replaceAtExit: () => undefined };
  const name = commandName.test(command ?? "") ? command : "other";
  const path = join(cacheDirectory, `${name}-${stateOf(bundle)}.bin`);
  return {
    read: () => readCache(path),
    replaceAtExit: (content) => {
      process.on("exit", (code) => {
        const data = code === 0 ? content() : undefined;
        if (data !== undefined) replaceCaches(path, data, `${name}-`);
      });
    },
  };
}

/**
 * Returns a name for the state of a bundle and the V8 that compiles it, which itself refuses the code of another
 * processor, or of other flags. Its own tag for all of that is in a module that takes 4 ms to load.
 */
function stateOf(path: string): string {
  const { mtimeMs, size } = statSync(path);
  const engine = process.versions.v8.replaceAll(/\D+/g, ".");
  return `${size}.${Math.trunc(mtimeMs)}.${engine}`;
}

function readCache(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // The first run, or an unreadable home directory.
    return undefined;
  }
}

/** Writes a cache atomically, as others may read it meanwhile, and removes earlier ones of the same command. */
function replaceCaches(path: string, data: Uint8Array, prefix: string): void {
  try {
    const directory = dirname(path);
    makeDirectory(directory);
    const isOfCommand = (name: string): boolean => /^[\d.]+bin$/.test(name.slice(prefix.length));
    for (const name of readdirSync(directory)) {
      if (name.startsWith(prefix) && isOfCommand(name)) rmSync(join(directory, name));
    }
    writeAtOnce(path, data);
    // Here, since newly compiled code mostly replaces code that is no longer run.
    pruneCompiled(directory, Date.now());
  } catch {
    // An unwritable home directory, or another process that does the same: the next run compiles again.
  }
}

/** Makes a directory and its missing parents, like `makeDirectories`, which this program cannot import. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function writeAtOnce(path: string, data: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, data, { mode: 0o600 });
    renameSync(temporary, path);
  } finally {
    // A full disk may leave a part of the file.
    rmSync(temporary, { force: true });
  }
}
