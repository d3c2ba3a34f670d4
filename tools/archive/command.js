// The entry of the command in an archive. The cache holds code, so it lies where only this user writes.
import { createRequire, enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

enableCompileCache(join(homedir(), ".cache", "slipway", "compiled"));
createRequire(import.meta.url)("./cli/dist/bundle/slipway.cjs");
