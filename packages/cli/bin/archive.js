// The entry of the command in an archive, which is bundled.
import { enableCompileCache } from "node:module";
import { join } from "node:path";

import { runChunks } from "../src/config/run-chunks.ts";
import { cacheDirectory } from "./cache-directory.js";

if (cacheDirectory !== undefined) enableCompileCache(cacheDirectory);
const bundle = join(import.meta.dirname, "cli/dist/bundle/slipway.chunks.js");
runChunks(bundle, { cacheDirectory, command: process.argv[2] });
