import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { bundleFile, bundleModule } from "./bundles.ts";
import { type DebianPackages, hasApt } from "./debian-packages.ts";
import { fetchGlibc, type Glibc } from "./glibc.ts";
import { joinedLicenses, readInputs } from "./licenses.ts";
import { fetchPackage, type PackageFiles } from "./npm-package.ts";
import { type ArchiveFile, json, plain, program } from "./pack-tree.ts";
import {
  type Architecture,
  architectures,
  lockedPackage,
  nodePackage,
  nodeVersion,
  root,
} from "./parts.ts";
import { stripElf } from "./strip-elf.ts";
import { inWorkPlace, subPlace, type WorkPlace } from "./work-place.ts";

export type Report = (line: string) => void;

/** The bundles of `tools/build-agent.ts` by their paths in an archive. */
export const bundles = {
  "lib/slipway/agent/dist/agent.cjs": "packages/agent/dist/agent.cjs",
  "lib/slipway/agent/dist/ssh2.cjs": "packages/agent/dist/ssh2.cjs",
  "lib/slipway/cli/dist/bundle/slipway.chunks.js": "packages/cli/dist/bundle/slipway.chunks.js",
  "lib/slipway/cli/dist/bundle/ssh2.cjs": "packages/cli/dist/bundle/ssh2.cjs",
  "lib/slipway/cli/dist/bundle/mcp.cjs": "packages/cli/dist/bundle/mcp.cjs",
} as const;

/** Other files of the clone by their paths in an archive. */
export const copies = {
  "lib/slipway/cli/package.json": "packages/cli/package.json",
  "lib/examples/demo.slipway.yaml": "examples/demo.slipway.yaml",
  "lib/examples/external.slipway.yaml": "examples/external.slipway.yaml",
  "lib/examples/pool.slipway.yaml": "examples/pool.slipway.yaml",
  "share/licenses/slipway": "LICENSE",
  "share/licenses/libsodium": "tools/archive/libsodium-license.txt",
} as const;

/** The program that runs the bundle of the command, and its parts. */
const commandEntry = "packages/cli/bin/archive.js";
export const commandParts = [
  commandEntry,
  "packages/cli/src/config/compiled-code.ts",
  "packages/cli/src/config/prune-compiled.ts",
  "packages/cli/src/config/run-chunks.ts",
];

export const modules = "lib/node_modules";

/** Packages in an archive whose bundles have no input lists. */
const otherPackages = ["sodium-native", "@lydell/node-pty", "@clack/prompts"];

interface TreeNeeds {
  readonly debian: DebianPackages;
  readonly report: Report;
}

/** Collects everything in the archive of an architecture. */
async function collectTree(
  architecture: Architecture,
  place: WorkPlace,
  needs: TreeNeeds,
): Promise<readonly ArchiveFile[]> {
  const [nodePlace, ptyPlace] = [await subPlace(place, "node"), await subPlace(place, "pty")];
  const ptyPackage = await lockedPackage(ptyName(architecture));
  needs.report(`getting Node.js ${nodeVersion} for linux/${architecture}`);
  const fetches = [
    fetchPackage(nodePackage(architecture), ["bin/node", "LICENSE"], nodePlace),
    fetchPackage(ptyPackage, ["pty.node", "package.json"], ptyPlace),
    findGlibc(architecture, place, needs),
  ] as const;
  // After this nothing writes to the work place, which is removed after a failure.
  await Promise.allSettled(fetches);
  const [node, pty, glibc] = await Promise.all(fetches);
  return [
    program("bin/slipway", await launcher(architecture)),
    program("lib/node", stripElf(partOf(node, "bin/node"))),
    plain("share/licenses/node", partOf(node, "LICENSE")),
    plain(`${modules}/${ptyName(architecture)}/pty.node`, stripElf(partOf(pty, "pty.node"))),
    plain(`${modules}/${ptyName(architecture)}/package.json`, partOf(pty, "package.json")),
    await sodiumFile(architecture),
    ...(await promptsFiles()),
    json("lib/slipway/package.json", { type: "module" }),
    plain("lib/slipway/command.cjs", await bundleFile(root, commandEntry)),
    ...(await copiedFiles({ ...bundles, ...copies })),
    ...(glibc === undefined ? [] : glibcFiles(architecture, glibc)),
    plain("share/licenses/packages", await packageLicenses()),
    json("share/parts.json", partVersions(architecture, glibc)),
  ];
}

/** Returns a function that collects the tree at the first call. */
export function treeOf(
  architecture: Architecture,
  needs: TreeNeeds & { readonly signal: AbortSignal },
): () => Promise<readonly ArchiveFile[]> {
  let tree: Promise<readonly ArchiveFile[]> | undefined;
  return async () => {
    tree ??= inWorkPlace(needs.signal, async (place) => collectTree(architecture, place, needs));
    return tree;
  };
}

async function findGlibc(
  architecture: Architecture,
  place: WorkPlace,
  { debian, report }: TreeNeeds,
): Promise<Glibc | undefined> {
  if (!(await hasApt(place))) {
    report("apt-get is missing: the archive will only run on systems with glibc 2.28 or later");
    return undefined;
  }
  report(`getting the C library for linux/${architecture} with apt-get`);
  return fetchGlibc(architecture, debian, await subPlace(place, "glibc"));
}

async function launcher(architecture: Architecture): Promise<Buffer> {
  const text = await readFile(join(root, "tools/archive/slipway.sh"), "utf8");
  const { loader, systemLoader } = architectures[architecture];
  return Buffer.from(text.replaceAll("@loader@", loader).replaceAll("@system@", systemLoader));
}

/** Returns the addon at the path where the bundles look for it; no bundle needs the package's JavaScript. */
async function sodiumFile(architecture: Architecture): Promise<ArchiveFile> {
  const { node } = architectures[architecture];
  const path = `sodium-native/prebuilds/linux-${node}/sodium-native.node`;
  return plain(`${modules}/${path}`, stripElf(await readFile(join(root, "node_modules", path))));
}

async function promptsFiles(): Promise<readonly ArchiveFile[]> {
  const name = "@clack/prompts";
  const manifest = { name, type: "module", exports: "./index.js" };
  return [
    json(`${modules}/${name}/package.json`, manifest),
    plain(`${modules}/${name}/index.js`, await bundleModule(root, name)),
  ];
}

/** Reads files of the clone by their paths in an archive. */
export async function copiedFiles(
  files: Readonly<Record<string, string>>,
): Promise<readonly ArchiveFile[]> {
  return Promise.all(
    Object.entries(files).map(async ([path, source]) =>
      plain(path, await readFile(join(root, source))),
    ),
  );
}

function glibcFiles(architecture: Architecture, glibc: Glibc): readonly ArchiveFile[] {
  const { loader } = architectures[architecture];
  const libraries = [...glibc.libraries].map(([name, content]) => ({
    path: `lib/glibc/${name}`,
    content,
    isProgram: name === loader,
  }));
  const licenses = [...glibc.licenses].map(([name, text]) => plain(`share/licenses/${name}`, text));
  return [...libraries, ...licenses];
}

async function packageLicenses(): Promise<Buffer> {
  return joinedLicenses(await readInputs(Object.values(bundles)), otherPackages);
}

function partVersions(architecture: Architecture, glibc: Glibc | undefined): unknown {
  return { platform: `linux/${architecture}`, node: nodeVersion, ...glibc?.versions };
}

function ptyName(architecture: Architecture): string {
  return `@lydell/node-pty-linux-${architectures[architecture].node}`;
}

function partOf(files: PackageFiles, path: string): Buffer {
  const content = files.get(path);
  if (content === undefined) throw new Error(`package lacks ${path}`);
  return content;
}
