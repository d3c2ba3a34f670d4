#!/usr/bin/env -S node --conditions=@slipway/source
import * as nodeModule from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

import { cacheDirectory } from "./cache-directory.js";

const require = nodeModule.createRequire(import.meta.url);
// Importing it loads everything that it exports, such as streams of files, a tenth of a short command's time.
const { existsSync, realpathSync } = require("node:fs");

// Plain JavaScript, so that an older Node gets as far as handing over to the one that `npm ci` has put into the clone,
// and so that the cache is there before the first file is read.
const wantedNode = 24;
const clone = fileURLToPath(new URL("../../../", import.meta.url));
const ownNode = `${clone}node_modules/node/bin/node`;

if (Number(process.versions.node.split(".")[0]) >= wantedNode) {
  if (cacheDirectory !== undefined) nodeModule.enableCompileCache(cacheDirectory);
  const options = { cacheDirectory, command: process.argv[2] };
  if (!loadStart()?.runFreshBundle(options)) await import("../src/main.ts");
} else if (existsSync(ownNode) && realpathSync(ownNode) !== process.execPath) {
  await handOver();
} else {
  process.stderr.write(
    `error: slipway needs Node.js ${wantedNode} or later, found ${process.versions.node}\n` +
      "run npm ci in the clone of Slipway to install it there\n",
  );
  process.exitCode = 1;
}

/** Loads what starts the bundle of the command; undefined in a clone without bundles. */
function loadStart() {
  const path = `${clone}packages/cli/dist/bundle/start.cjs`;
  return existsSync(path) ? require(path) : undefined;
}

/** Runs the same command on the clone's own Node, and exits with its status. */
async function handOver() {
  const { spawn } = await import("node:child_process");
  const words = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(ownNode, ["--conditions=@slipway/source", ...words], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; other signals come to this process alone.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`error: cannot start ${ownNode}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}
