/**
 * Builds archives of the agent and the command with Node.js, for machines without it:
 * `npm run build:archive -- --architecture amd64 --compression tar.gz --output dist/downloads`. Without options,
 * builds all of them. Reports progress on stderr and prints the paths of the archives.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { DebianPackages } from "./archive/debian-packages.ts";
import { architectures } from "./archive/parts.ts";
import { knownName, runTool, updateBundles } from "./archive/run-tool.ts";
import { treeOf } from "./archive/tree.ts";
import { inWorkPlace, settled } from "./archive/work-place.ts";
import { writeArchive } from "./archive/write-archive.ts";
import { compressions } from "./archive/write-compressed.ts";

const { values } = parseArgs({
  options: {
    architecture: { type: "string", multiple: true, default: Object.keys(architectures) },
    compression: { type: "string", multiple: true, default: Object.keys(compressions) },
    output: { type: "string", default: "dist/downloads" },
  },
});

await runTool(async (needs) => {
  await updateBundles(needs.signal);
  const output = resolve(values.output);
  // Each is built once, however often it is named.
  const made = [...new Set(values.architecture)].map((name) => {
    return knownName("architecture", name, architectures);
  });
  const compressed = [...new Set(values.compression)].map((ending) => {
    return knownName("compression", ending, compressions);
  });
  const paths = await inWorkPlace(needs.signal, async (place) => {
    const debian = new DebianPackages(made, place);
    const archives = made.flatMap((architecture) => {
      const tree = treeOf(architecture, { debian, ...needs });
      return compressed.map((compression) =>
        writeArchive({ architecture, compression, tree, output, ...needs }),
      );
    });
    return settled(archives);
  });
  for (const path of paths) process.stdout.write(`${path}\n`);
});
