// The entry of the command in an archive, which is bundled. The cache holds code, so it lies where only this user writes.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

import { runBundle } from "../src/config/run-bundle.ts";

const cacheDirectory = join(homedir(), ".cache", "slipway", "compiled");
enableCompileCache(cacheDirectory);
const bundle = join(import.meta.dirname, "cli/dist/bundle/slipway.cjs");
runBundle(bundle, { cacheDirectory, command: process.argv[2] });
