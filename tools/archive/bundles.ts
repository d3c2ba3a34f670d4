import type { Plugin } from "esbuild";

/** The addon beside the bundle of `sodium-native`. */
export const sodiumAddon = "sodium-native.node";

/**
 * Loads the addon from beside the bundle: the package's own way to it looks for another one on a system with musl, where
 * our Node.js brings its own C library.
 */
const addonBeside: Plugin = {
  name: "addon beside",
  setup(build) {
    build.onResolve({ filter: /^\.\/binding$/ }, () => ({
      path: `./${sodiumAddon}`,
      external: true,
    }));
  },
};

/** Returns the JavaScript of `sodium-native` in one file, and the packages that it holds. */
export async function bundleSodium(root: string): Promise<Buffer> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["node_modules/sodium-native/index.js"],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    legalComments: "none",
    plugins: [addonBeside],
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no bundle of sodium-native");
  return Buffer.from(file.contents);
}

/** Returns a package that is one ES module, in one file. */
export function bundleModule(root: string, name: string): Promise<Buffer> {
  return bundleText(root, `export * from ${JSON.stringify(name)};`);
}

/** Returns an ES module of the clone with what it imports, in one file. */
export function bundleFile(root: string, path: string): Promise<Buffer> {
  return bundleText(root, `import ${JSON.stringify(`./${path}`)};`);
}

async function bundleText(root: string, contents: string): Promise<Buffer> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote nothing for ${contents}`);
  return Buffer.from(file.contents);
}
