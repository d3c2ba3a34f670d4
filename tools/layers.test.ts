import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { layers } from "../layers.ts";
import type { PackageLayer } from "../layers.ts";
import { folderNames } from "./import-rules.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const existing = await subfolders("packages");
const present = layers.filter(({ name }) => existing.includes(name));
/** Packages that only tests and tools import. All their dependencies are `devDependencies`, which production omits. */
const forTests: readonly string[] = ["testkit", "simulation"];

describe("layers.ts", () => {
  it("names every package of the tree", () => {
    expect(existing.filter((name) => !layers.some((layer) => layer.name === name))).toEqual([]);
  });

  it("lets a package import only packages that stand below it", () => {
    layers.forEach((layer, index) => {
      const below = new Set(layers.slice(0, index).map(({ name }) => name));
      const above = importedPackages(layer).filter((name) => !below.has(name));
      expect(above, layer.name).toEqual([]);
    });
  });

  it("names each folder of a package once", () => {
    for (const layer of layers) {
      expect(new Set(folderNames(layer)).size, layer.name).toBe(folderNames(layer).length);
    }
  });
});

it.each(forTests)("packages/%s brings nothing into a production install", async (name) => {
  const json = await readJson(`packages/${name}/package.json`);
  expect(json).not.toHaveProperty("dependencies");
  expect(json).not.toHaveProperty("optionalDependencies");
});

describe.each(present)("packages/$name", (layer) => {
  it("has no folder that the tree does not list", async () => {
    const listed = folderNames(layer);
    const storeys = [...new Set(listed.flatMap((name) => name.match(/^[^/]+(?=\/)/) ?? []))];
    const source = `packages/${layer.name}/src`;
    const loose = (await subfolders(source)).filter((folder) => !storeys.includes(folder));
    const upstairs = await Promise.all(
      storeys.map(async (storey) =>
        (await subfolders(`${source}/${storey}`)).map((folder) => `${storey}/${folder}`),
      ),
    );
    expect([...loose, ...upstairs.flat()].filter((folder) => !listed.includes(folder))).toEqual([]);
  });

  it("lists all rooms of a folder that has any", async () => {
    for (const [folder, rooms] of Object.entries(layer.rooms ?? {})) {
      const found = await subfolders(`packages/${layer.name}/src/${folder}`);
      expect(found.toSorted(), folder).toEqual([...rooms].toSorted());
    }
  });

  it("depends only on the packages it may import, and for its tests on testkit", async () => {
    const { dependencies, devDependencies } = await manifest(layer.name);
    const allowed = importedPackages(layer);
    expect(dependencies.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(devDependencies.filter((name) => ![...allowed, "testkit"].includes(name))).toEqual([]);
  });

  it("refers in tsconfig.json to the packages it depends on, and to none it may not import", async () => {
    const { dependencies } = await manifest(layer.name);
    const references = await projectReferences(layer.name);
    expect(dependencies.filter((name) => !references.includes(name))).toEqual([]);
    expect(references.filter((name) => !importedPackages(layer).includes(name))).toEqual([]);
  });
});

/** Returns the packages that a layer may import anywhere: `sdk/http` counts as `sdk`, and exceptions count too. */
function importedPackages(layer: PackageLayer): string[] {
  const exceptional = (layer.exceptions ?? []).flatMap(({ mayImport }) => mayImport);
  return [...layer.mayImport, ...exceptional].map((name) => name.split("/", 1)[0] ?? name);
}

async function manifest(
  name: string,
): Promise<{ dependencies: string[]; devDependencies: string[] }> {
  const json = await readJson(`packages/${name}/package.json`);
  const devDependencies = ours(json, "devDependencies");
  if (forTests.includes(name)) return { dependencies: devDependencies, devDependencies: [] };
  return {
    dependencies: [...ours(json, "dependencies"), ...ours(json, "optionalDependencies")],
    devDependencies,
  };
}

function ours(json: object, field: string): string[] {
  const names = Object.keys(Object(Reflect.get(json, field)));
  return names.flatMap((name) =>
    name.startsWith("@slipway/") ? [name.slice("@slipway/".length)] : [],
  );
}

async function projectReferences(name: string): Promise<string[]> {
  const json = await readJson(`packages/${name}/tsconfig.json`);
  const references: unknown = Reflect.get(json, "references");
  return Array.isArray(references)
    ? references.map((reference: object) =>
        String(Reflect.get(reference, "path")).replace("../", ""),
      )
    : [];
}

async function readJson(path: string): Promise<object> {
  return Object(JSON.parse(await readFile(`${root}/${path}`, "utf8")));
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(`${root}/${path}`, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
