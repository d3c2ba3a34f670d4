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
import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { Script } from "node:vm";

import { pruneCompiled } from "./prune-compiled.ts";

export interface RunBundleOptions {
  /** The directory of the cache, which contains code: only this user may write there. Undefined for no cache. */
  readonly cacheDirectory: string | undefined;
  /** The first word of the command line. Each command has its own cache. */
  readonly command: string | undefined;
}

/** The names of commands; all other words share one cache. */
const commandName = /^[a-z][a-z-]{0,31}$/;

/**
 * Runs a bundle like `require`, with the code that V8 has compiled for the same command before. The cache of Node.js
 * holds only code that runs when a file is loaded, and nearly all functions of a command are compiled later.
 */
export function runBundle(path: string, { cacheDirectory, command }: RunBundleOptions): void {
  const name = commandName.test(command ?? "") ? command : "other";
  const cachePath =
    cacheDirectory === undefined ? undefined : join(cacheDirectory, `${name}-${stateOf(path)}.bin`);
  const cachedData = cachePath === undefined ? undefined : readCache(cachePath);
  // A bundle is ASCII. Its first line, needed to start the bundle as a program, becomes a comment.
  const text = readFileSync(path, "latin1").replace(/^#!/, "//");
  const script = new Script(Module.wrap(text), {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isStale = cachedData === undefined || script.cachedDataRejected === true;
  if (cachePath !== undefined && isStale) {
    process.on("exit", (code) => {
      if (code === 0) replaceCaches(cachePath, script.createCachedData(), `${name}-`);
    });
  }
  const module = { exports: {} };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the wrapper of the line above
  const run = script.runInThisContext() as ModuleWrapper;
  run(module.exports, createRequire(path), module, path, dirname(path));
}

type ModuleWrapper = (
  exports: object,
  require: NodeJS.Require,
  module: { readonly exports: object },
  fileName: string,
  directoryName: string,
) => void;

/** Returns a name for the state of a bundle and the V8 that compiles it. */
function stateOf(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return `${size}.${Math.trunc(mtimeMs)}.${cachedDataVersionTag()}`;
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
