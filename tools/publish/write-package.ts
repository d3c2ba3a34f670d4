import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { joinedLicenses } from "../archive/licenses.ts";
import { json, packTree, plain } from "../archive/pack-tree.ts";
import { root } from "../archive/parts.ts";
import { compressions } from "../archive/write-compressed.ts";
import { bundleCode, bundleDeclarations } from "./bundle-package.ts";

/** A package for programs outside this repository. */
interface PublishedPackage {
  /** The packages that it depends on; everything else that it uses is part of it. */
  readonly external: readonly string[];
  /** True if browsers get a separate bundle. */
  readonly hasBrowserBundle: boolean;
}

/** The packages to publish, by their folders below `packages`. */
export const publishedPackages = {
  sdk: { external: ["ws"], hasBrowserBundle: true },
  computesdk: { external: ["@computesdk/provider", "@slipway/sdk"], hasBrowserBundle: false },
} as const satisfies Readonly<Record<string, PublishedPackage>>;

export type PublishedName = keyof typeof publishedPackages;

/** The fields of a `package.json` that are published as they are. */
const keptFields = ["name", "version", "description", "license", "type", "sideEffects", "engines"];

/**
 * Writes the tarball of a package as npm publishes it, from its sources and the declarations that `tsc` has written.
 * Returns its path.
 */
export async function writePackage(
  name: PublishedName,
  { output, signal }: { readonly output: string; readonly signal: AbortSignal },
): Promise<string> {
  const directory = join(root, "packages", name);
  const { external, hasBrowserBundle } = publishedPackages[name];
  const options = { directory, external };
  const bundles = [
    await bundleCode("index", "node", options),
    ...(hasBrowserBundle ? [await bundleCode("browser", "browser", options)] : []),
    await bundleDeclarations(options),
  ];
  const manifest = await readManifest(directory);
  const imports = new Set(bundles.flatMap((bundle) => bundle.imports));
  const files = [
    ...bundles.flatMap((bundle) => bundle.files),
    json("package.json", {
      ...Object.fromEntries(keptFields.map((field) => [field, manifest[field]])),
      exports: {
        ".": {
          types: "./index.d.ts",
          ...(hasBrowserBundle ? { browser: "./browser.js" } : {}),
          default: "./index.js",
        },
        "./package.json": "./package.json",
      },
      dependencies: rangesOf([...imports], manifest["dependencies"]),
    }),
    plain("README.md", await readGuide(directory)),
    plain("LICENSE", await readFile(join(root, "LICENSE"))),
    plain(
      "THIRD-PARTY-LICENSES",
      await joinedLicenses(
        bundles.flatMap((bundle) => bundle.inputs),
        [],
      ),
    ),
  ];
  await mkdir(output, { recursive: true });
  const path = join(output, `slipway-${name}-${String(manifest["version"])}.tgz`);
  const tar = packTree("package", files);
  await pipeline(tar, compressions["tar.gz"](), createWriteStream(path), { signal });
  return path;
}

/** Reads the part of a README that is for users of the package. */
async function readGuide(directory: string): Promise<Buffer> {
  const text = await readFile(join(directory, "README.md"), "utf8");
  return Buffer.from(text.split("\n## In this repository\n", 1).join(""));
}

async function readManifest(directory: string): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
}

/** Returns the versions of imported packages that a user may install: later ones that are compatible, too. */
function rangesOf(names: readonly string[], pinned: unknown): Readonly<Record<string, string>> {
  const ranges = names.toSorted().map((name): [string, string] => {
    const version: unknown = Reflect.get(Object(pinned), name);
    if (typeof version !== "string") throw new Error(`${name} is imported, but not a dependency`);
    return [name, `^${version}`];
  });
  return Object.fromEntries(ranges);
}
