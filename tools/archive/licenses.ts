import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { root } from "./parts.ts";

/** Files of a package that contain its license or notices. */
const licenseFile = /^(licen[cs]e|copying|notice)/i;

/** Returns the inputs of bundles, of which `tools/build-agent.ts` writes lists. */
export async function readInputs(bundles: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    bundles.map(async (path): Promise<unknown> =>
      JSON.parse(await readFile(join(root, `${path}.inputs.json`), "utf8")),
    ),
  );
  return lists.flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
}

/**
 * Returns one text with the licenses of the packages whose files are inputs of bundles, and of other installed
 * packages.
 */
export async function joinedLicenses(
  inputs: readonly string[],
  packages: readonly string[],
): Promise<Buffer> {
  const licenses = new Map<string, string>();
  for (const directory of packagesOf(inputs)) {
    licenses.set(directory.replace(/^.*node_modules\//, ""), await licenseOf(directory));
  }
  for (const name of packages) licenses.set(name, await licenseOf(`node_modules/${name}`));
  const sorted = [...licenses].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(sorted.map(([name, text]) => `=== ${name}\n\n${text.trim()}\n`).join("\n"));
}

/** Returns the directories of the inputs' packages. */
function packagesOf(inputs: readonly string[]): ReadonlySet<string> {
  const packages = new Set<string>();
  for (const input of inputs) {
    const name = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    const at = name === undefined ? -1 : input.lastIndexOf(name);
    if (name !== undefined) packages.add(input.slice(0, at + name.length));
  }
  return packages;
}

/**
 * Returns the license of an installed package: the text of its license files, or else the name in its `package.json`.
 */
async function licenseOf(directory: string): Promise<string> {
  const path = join(root, directory);
  const files = (await readdir(path)).filter((name) => licenseFile.test(name)).toSorted();
  if (files.length > 0) {
    const texts = await Promise.all(files.map((name) => readFile(join(path, name), "utf8")));
    return texts.join("\n");
  }
  const manifest: unknown = JSON.parse(await readFile(join(path, "package.json"), "utf8"));
  const license: unknown = Reflect.get(Object(manifest), "license");
  if (typeof license !== "string") throw new Error(`${directory} has no license`);
  return `${license}\n`;
}
