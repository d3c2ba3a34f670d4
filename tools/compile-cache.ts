import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

/* Keeps what a test worker compiles for the next run: types are stripped and code is compiled once, not in each worker. */
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/test-modules", import.meta.url)));
