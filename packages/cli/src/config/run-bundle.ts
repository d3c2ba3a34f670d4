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
  /** The directory of the cache, which holds code: only this user may write there. Undefined for no cache. */
  readonly cacheDirectory: string | undefined;
  /** The first word of the command line. Each command has its own cache. */
  readonly command: string | undefined;
}

/** The names of commands; anything else that is typed shares one cache. */
const commandName = /^[a-z][a-z-]{0,31}$/;

/**
 * Runs a bundle as `require` does, with the code that V8 has compiled for the same command before. The cache of Node.js
 * holds only what a file runs when it is loaded, and the functions of a command are nearly all compiled later.
 */
export function runBundle(path: string, { cacheDirectory, command }: RunBundleOptions): void {
  const name = commandName.test(command ?? "") ? command : "other";
  const cachePath =
    cacheDirectory === undefined ? undefined : join(cacheDirectory, `${name}-${stateOf(path)}.bin`);
  const cachedData = cachePath === undefined ? undefined : readCache(cachePath);
  // A bundle is ASCII. Its first line, for those who start it by itself, becomes a comment.
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

/** Names the state of a bundle, and the V8 that compiles it. */
function stateOf(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return `${size}.${Math.trunc(mtimeMs)}.${cachedDataVersionTag()}`;
}

function readCache(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // The first time, or a home directory that cannot be read.
    return undefined;
  }
}

/** Writes a cache at once, as others may read it meanwhile, and removes those of the same command before. */
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
    // A home directory that cannot be written, or another process that does the same: the next run compiles again.
  }
}

/** Makes a directory, and those above it: as `makeDirectories` does, which this program cannot import. */
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
    // A full disk has room for a part.
    rmSync(temporary, { force: true });
  }
}
