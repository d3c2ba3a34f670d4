#!/usr/bin/env -S node --conditions=@slipway/source
import * as nodeModule from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Plain JavaScript, so that an older Node gets as far as saying so, and so that the cache is there before the first
// file of TypeScript is read: stripping types costs more than everything else that a short command does. The cache
// holds code, so it lies where only this user writes.
const wantedNode = 24;

if (Number(process.versions.node.split(".")[0]) < wantedNode) {
  process.stderr.write(
    `error: slipway needs Node.js ${wantedNode} or later, found ${process.versions.node}\n` +
      "run it with the one it brings along: npx slipway\n",
  );
  process.exitCode = 1;
} else {
  nodeModule.enableCompileCache(join(homedir(), ".cache", "slipway", "compiled"));
  await import("../src/main.ts");
}
