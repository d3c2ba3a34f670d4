/**
 * Builds releases for machines without Node.js, with the command, the server, its database and the agent's archives:
 * `npm run build:release -- --architecture amd64 --output dist/release`. Without options, for all architectures.
 * Keeps the archives in `--downloads` and reuses those that are up to date; `--compression` limits them. Reports
 * progress on stderr and prints the paths of the releases.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { DebianPackages } from "./archive/debian-packages.ts";
import { type Architecture, architectures } from "./archive/parts.ts";
import { knownName, runTool, updateBundles } from "./archive/run-tool.ts";
import { treeOf } from "./archive/tree.ts";
import { inWorkPlace, settled } from "./archive/work-place.ts";
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
  await updateBundles(needs.signal);
  // Each is built once, however often it is named.
  const compressed = [...new Set(values.compression)].map((ending) => {
    return knownName("compression", ending, compressions);
  });
  const released = [...new Set(values.architecture)].map((name) => {
    return knownName("architecture", name, architectures);
  });
  const paths = await inWorkPlace(needs.signal, async (place) => {
    const debian = new DebianPackages(["amd64", "arm64"], place);
    const parts = { debian, ...needs };
    const trees = { amd64: treeOf("amd64", parts), arm64: treeOf("arm64", parts) };
    const archives = (["amd64", "arm64"] satisfies Architecture[]).flatMap((architecture) =>
      compressed.map((compression) => {
        const [tree, output] = [trees[architecture], resolve(values.downloads)];
        return writeArchive({ architecture, compression, tree, output, ...needs });
      }),
    );
    const downloads = Promise.all(archives);
    const releases = released.map((architecture) => {
      const [tree, output] = [trees[architecture], resolve(values.output)];
      return writeRelease({ architecture, tree, downloads, output, ...parts });
    });
    await settled([...archives, ...releases]);
    return Promise.all(releases);
  });
  for (const path of paths) process.stdout.write(`${path}\n`);
});
