import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

/*
 * Keeps the compiled code of test workers for the next run: type stripping and compilation happen once, not in each
 * worker.
 */
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/test-modules", import.meta.url)));
