/**
 * Makes releases for machines without Node.js, with the command, the server, its database and the archives of the agent:
 * `npm run build:release -- --architecture amd64 --output dist/release`. Without options, for all architectures. Keeps the
 * archives in `--downloads`, and takes those that are up to date; `--compression` limits them. Reports its progress on
 * stderr, and prints the paths of the releases.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { type Architecture, architectures } from "./archive/parts.ts";
import { knownName, runTool } from "./archive/run-tool.ts";
import { treeOf } from "./archive/tree.ts";
import { writeArchive } from "./archive/write-archive.ts";
import { compressions } from "./archive/write-compressed.ts";
import { writeRelease } from "./release/write-release.ts";

const { values } = parseArgs({
  options: {
    architecture: { type: "string", multiple: true, default: Object.keys(architectures) },
    compression: { type: "string", multiple: true, default: Object.keys(compressions) },
    downloads: { type: "string", default: "dist/downloads" },
    output: { type: "string", default: "dist/release" },
  },
});

await runTool(async (needs) => {
  const trees = { amd64: treeOf("amd64", needs), arm64: treeOf("arm64", needs) };
  // Each is made once, however often it is named.
  const compressed = [...new Set(values.compression)].map((ending) => {
    return knownName("compression", ending, compressions);
  });
  const archives = (["amd64", "arm64"] satisfies Architecture[]).flatMap((architecture) =>
    compressed.map((compression) => {
      const [tree, output] = [trees[architecture], resolve(values.downloads)];
      return writeArchive({ architecture, compression, tree, output, ...needs });
    }),
  );
  const downloads = await Promise.all(archives);
  const releases = [...new Set(values.architecture)].map((name) => {
    const architecture = knownName("architecture", name, architectures);
    const [tree, output] = [trees[architecture], resolve(values.output)];
    return writeRelease({ architecture, tree, downloads, output, ...needs });
  });
  for (const path of await Promise.all(releases)) process.stdout.write(`${path}\n`);
});
