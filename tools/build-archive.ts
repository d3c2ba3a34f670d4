/**
 * Makes archives of the agent and the command with Node.js, for machines without it:
 * `npm run build:archive -- --architecture amd64 --compression tar.gz --output dist/downloads`. Without options, all of
 * them. Reports its progress on stderr, and prints the paths of the archives.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { architectures } from "./archive/parts.ts";
import { knownName, runTool } from "./archive/run-tool.ts";
import { treeOf } from "./archive/tree.ts";
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
  const output = resolve(values.output);
  // Each is made once, however often it is named.
  const paths = [...new Set(values.architecture)].flatMap((name) => {
    const architecture = knownName("architecture", name, architectures);
    const tree = treeOf(architecture, needs);
    return [...new Set(values.compression)].map((ending) => {
      const compression = knownName("compression", ending, compressions);
      return writeArchive({ architecture, compression, tree, output, ...needs });
    });
  });
  for (const path of await Promise.all(paths)) process.stdout.write(`${path}\n`);
});
