/**
 * Packs the packages for programs outside this repository, as npm publishes them:
 * `npm run build:packages -- --output dist/packages`. Each contains the private packages that it uses, with their
 * declarations, and is checked as its users' tools would. Prints the paths of the tarballs.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { root } from "./archive/parts.ts";
import { runProgram } from "./archive/run-program.ts";
import { runTool } from "./archive/run-tool.ts";
import { checkTarball } from "./publish/check-tarball.ts";
import { type PublishedName, publishedPackages, writePackage } from "./publish/write-package.ts";

const { values } = parseArgs({ options: { output: { type: "string", default: "dist/packages" } } });

await runTool(async ({ signal }) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal
  const names = Object.keys(publishedPackages) as PublishedName[];
  const projects = names.map((name) => `packages/${name}`);
  await runProgram(["node_modules/.bin/tsc", "-b", ...projects], { cwd: root, signal });
  const output = resolve(values.output);
  for (const name of names) {
    const path = await writePackage(name, { output, signal });
    await checkTarball(path);
    process.stdout.write(`${path}\n`);
  }
});
