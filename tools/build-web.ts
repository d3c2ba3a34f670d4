/**
 * Builds the dashboard into `packages/web/dist/site`, unless that is newer than everything it is made of, compresses its
 * files, and lists their sources beside it. `--force` always builds.
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs, promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import { root } from "./archive/parts.ts";

const directory = join(root, "packages/web");
const site = join(directory, "dist/site");

/** The files and directories that the dashboard is made of, in the clone. */
const inputs = [
  ...["src", "public", "index.html", "vite.config.ts", "plain-routes.ts"].map(
    (name) => `packages/web/${name}`,
  ),
  ...["api", "runtime", "sdk", "template"].map((name) => `packages/${name}/src`),
  "package-lock.json",
  "tools/build-web.ts",
];

/** Files that are compressed already. */
const compressed = /\.(woff2|png|gz|br)$/;

const { values } = parseArgs({ options: { force: { type: "boolean", default: false } } });

if (values.force || !(await isUpToDate())) await buildSite();

async function isUpToDate(): Promise<boolean> {
  // The build writes it last.
  const built = await stat(join(site, "index.html.br")).catch(() => undefined);
  if (built === undefined) return false;
  const changes = await Promise.all(inputs.map((path) => newestChange(join(root, path))));
  return changes.every((ms) => ms < built.mtimeMs);
}

/** Returns the time of the newest change of a file, or of the files below a directory, in milliseconds. */
async function newestChange(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const entries = await readdir(path);
  const changes = await Promise.all(entries.map((name) => newestChange(join(path, name))));
  // A file that was removed changes only its directory.
  return Math.max(found.mtimeMs, ...changes);
}

async function buildSite(): Promise<void> {
  // Loading the bundler takes longer than finding nothing to do.
  const { build } = await import("vite");
  // The bundler would take React's development build wherever the environment says so, such as in a test.
  process.env["NODE_ENV"] = "production";
  const built = await build({ configFile: join(directory, "vite.config.ts"), logLevel: "error" });
  if (!("output" in built)) throw new Error("the bundler wrote no files");
  const modules = built.output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  const sources = modules.filter((id) => id.startsWith(root)).map((id) => relative(root, id));
  await writeFile(`${site}.inputs.json`, JSON.stringify(sources));
  const files = await readdir(site, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((entry) => entry.isFile() && !compressed.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.filter((one) => !one.endsWith("index.html"))) await compress(path);
  await compress(join(site, "index.html"));
}

async function compress(path: string): Promise<void> {
  const content = await readFile(path);
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
}
