import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

/* What a test worker compiles is kept for the next run: types are stripped and code is compiled once, not in each worker. */
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/test-modules", import.meta.url)));
