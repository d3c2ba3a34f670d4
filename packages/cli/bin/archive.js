// The entry of the command in an archive, which is bundled.
import { enableCompileCache } from "node:module";
import { join } from "node:path";

import { runBundle } from "../src/config/run-bundle.ts";
import { cacheDirectory } from "./cache-directory.js";

if (cacheDirectory !== undefined) enableCompileCache(cacheDirectory);
const bundle = join(import.meta.dirname, "cli/dist/bundle/slipway.cjs");
runBundle(bundle, { cacheDirectory, command: process.argv[2] });
