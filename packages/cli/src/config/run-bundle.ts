import { readFileSync } from "node:fs";
import Module, { createRequire, getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

import { type CompiledCodeOptions, openCompiledCode } from "./compiled-code.ts";

/** The directory of the cache of this process; undefined for none. */
export function currentCacheDirectory(): string | undefined {
  // Node.js has a subdirectory for each of its releases.
  const directory = getCompileCacheDir();
  return directory === undefined ? undefined : dirname(directory);
}

/**
 * Runs a bundle and returns its exports like `require`, with the code that V8 has compiled for the same command before.
 * The cache of Node.js holds only code that runs when a file is loaded, and nearly all functions of a command are
 * compiled later.
 */
export function runBundle(path: string, options: CompiledCodeOptions): unknown {
  const cache = openCompiledCode(path, options);
  const cachedData = cache.read();
  // A bundle is ASCII. Its first line, needed to start the bundle as a program, becomes a comment.
  const text = readFileSync(path, "latin1").replace(/^#!/, "//");
  const script = new Script(Module.wrap(text), {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isStale = cachedData === undefined || script.cachedDataRejected === true;
  if (isStale) cache.replaceAtExit(() => script.createCachedData());
  const module: { exports: unknown } = { exports: {} };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the wrapper of the line above
  const run = script.runInThisContext() as ModuleWrapper;
  run(module.exports, createRequire(path), module, path, dirname(path));
  return module.exports;
}

type ModuleWrapper = (
  exports: unknown,
  require: NodeJS.Require,
  module: { exports: unknown },
  fileName: string,
  directoryName: string,
) => void;
