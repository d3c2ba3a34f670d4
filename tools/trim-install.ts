/**
 * Removes the C++ headers of the package `node`, a third of its size, after an install: nothing compiles native modules.
 */
import { globSync, rmSync } from "node:fs";

for (const headers of globSync("node_modules/node/node_modules/node-*/include")) {
  rmSync(headers, { recursive: true });
}
