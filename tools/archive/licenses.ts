import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { root } from "./parts.ts";

/** Files of a package that hold its license, or notices that go with it. */
const licenseFile = /^(licen[cs]e|copying|notice)/i;

/**
 * Returns the licenses of the packages that bundles hold, by their names, with the files' texts joined. The bundles' lists
 * of inputs tell which packages those are.
 */
export async function bundledLicenses(
  inputLists: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const packages = new Set<string>();
  for (const list of inputLists) {
    const inputs: unknown = JSON.parse(await readFile(join(root, list), "utf8"));
    for (const input of Array.isArray(inputs) ? inputs.map(String) : []) {
      const name = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      const at = name === undefined ? -1 : input.lastIndexOf(name);
      if (name !== undefined) packages.add(input.slice(0, at + name.length));
    }
  }
  const texts = new Map<string, string>();
  for (const directory of [...packages].toSorted()) {
    texts.set(directory.replace(/^.*node_modules\//, ""), await licenseOf(directory));
  }
  return texts;
}

/** Returns the license of an installed package: the texts of its files, or else what its `package.json` names. */
export async function licenseOf(directory: string): Promise<string> {
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
