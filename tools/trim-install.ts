/**
 * Removes what nothing uses after an install: the C++ headers of the package `node`, a third of its size, as nothing
 * compiles native modules; source maps of packages; native modules for phones.
 */
import { globSync, rmSync } from "node:fs";

const unused = [
  "node_modules/node/node_modules/node-*/include",
  "node_modules/*/dist/**/*.map",
  "node_modules/@*/*/dist/**/*.map",
  "node_modules/sodium-native/prebuilds/{android,ios}-*",
];

for (const path of globSync(unused)) rmSync(path, { recursive: true });
