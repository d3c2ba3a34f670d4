import { join, relative } from "node:path";

import { type OutputChunk, type Plugin, rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";

import { type ArchiveFile, plain } from "../archive/pack-tree.ts";
import { root } from "../archive/parts.ts";

export interface PackageBundle {
  readonly files: readonly ArchiveFile[];
  /** The paths of the modules that it is made of, below the clone. */
  readonly inputs: readonly string[];
  /** The names of the packages that it imports. */
  readonly imports: readonly string[];
}

interface BundleOptions {
  /** The directory of the package. */
  readonly directory: string;
  /** The packages that are not made part of the bundle. */
  readonly external: readonly string[];
}

/** The oldest runtimes that are served. Browsers lag behind Node.js: not all of them have `using`. */
const targets = { node: "node24", browser: "es2023" } as const;

/** Bundlers of others need the annotations. */
const comments = { annotation: true, jsdoc: false, legal: false };

/** Bundles the sources of a package for Node.js or browsers, with `name` for the file of its entry. */
export async function bundleCode(
  name: string,
  platform: "node" | "browser",
  { directory, external }: BundleOptions,
): Promise<PackageBundle> {
  await using bundle = await rolldown({
    cwd: root,
    input: { [name]: join(directory, "src/index.ts") },
    platform,
    external: [...external, /^node:/],
    tsconfig: false,
    checks: { ineffectiveDynamicImport: false },
    transform: { target: targets[platform] },
    resolve: { conditionNames: ["@slipway/source", platform, "import", "default"] },
  });
  const { output } = await bundle.generate({ chunkFileNames: "chunks/[name].js", comments });
  const chunks = output.filter((file) => file.type === "chunk");
  const ofNode = chunks.flatMap(({ imports }) => imports.filter((one) => one.startsWith("node:")));
  if (platform === "node" || ofNode.length === 0) return collect(chunks);
  throw new Error(`${directory} imports ${ofNode.join(", ")} in browsers`);
}

/** Bundles the declarations that `tsc` has written for a package. */
export async function bundleDeclarations({
  directory,
  external,
}: BundleOptions): Promise<PackageBundle> {
  await using bundle = await rolldown({
    cwd: root,
    input: { index: join(directory, "dist/index.d.ts") },
    external: [...external],
    resolve: { conditionNames: ["types", "import", "default"] },
    checks: { bundlerTimings: false },
    // Nothing is generated; the generator by default would want a program of the compiler.
    plugins: [
      plainSchemas,
      dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false, generator: "oxc" }),
    ],
  });
  const { output } = await bundle.generate();
  return collect(output.filter((file) => file.type === "chunk"));
}

/** Replaces the declarations of the schema library. */
const plainSchemas: Plugin = {
  name: "plain schemas",
  resolveId: {
    order: "pre",
    handler: (name) =>
      name === "typebox" ? join(import.meta.dirname, "schema-types.d.ts") : undefined,
  },
};

function collect(chunks: readonly OutputChunk[]): PackageBundle {
  const own = new Set(chunks.map(({ fileName }) => fileName));
  const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]);
  const others = imported.filter((name) => !own.has(name) && !name.startsWith("node:"));
  return {
    files: chunks.map(({ fileName, code }) => plain(fileName, Buffer.from(code))),
    inputs: chunks.flatMap(({ moduleIds }) => moduleIds.map((path) => relative(root, path))),
    imports: [...new Set(others.map(packageName))],
  };
}

/** Returns the name of the package of an import. */
function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
