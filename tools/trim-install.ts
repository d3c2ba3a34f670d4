/**
 * Removes what nothing uses after an install: the C++ headers of the package `node`, a third of its size, as nothing
 * compiles native modules; source maps of packages; native modules for phones, Windows and the runtime Bare; sources,
 * manuals and declarations of packages that nothing imports; and the compiler of a TypeScript that is used as a library,
 * with its translations.
 */
import { globSync, rmSync } from "node:fs";

const unused = [
  "node_modules/node/node_modules/node-*/include",
  "node_modules/*/dist/**/*.map",
  "node_modules/@*/*/dist/**/*.map",
  "node_modules/sodium-native/prebuilds/{android,ios,win32}-*",
  "node_modules/bare-*/prebuilds",
  "node_modules/@base-ui/react/docs",
  "node_modules/lucide-react/dynamic*.d.*",
  "node_modules/zod/src",
  "node_modules/@octokit/**/*.d.ts",
  "node_modules/@arethetypeswrong/core/node_modules/typescript/lib/{??,??-??,tsc.js,_tsc.js,_tsserver.js,typescript.d.ts}",
];

for (const path of globSync(unused)) rmSync(path, { recursive: true });
