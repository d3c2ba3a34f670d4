import type { BuildOptions, OutputFile } from "esbuild";

import { shareName } from "../shared-name.ts";

const settings = {
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions & { readonly write: false };

/** Returns a package that is an ES module, in one file. */
export function bundleModule(root: string, name: string): Promise<Buffer> {
  return bundleText(root, `export * from ${JSON.stringify(name)};`, { format: "esm" });
}

/** A package in one file. */
export interface PackageBundle {
  readonly content: Buffer;
  /** The files it was made of. */
  readonly inputs: readonly string[];
}

/** Returns a CommonJS package in one file, with the exports that its users import by name. */
export async function bundleCommonJs(
  root: string,
  name: string,
  exports: readonly string[],
): Promise<PackageBundle> {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    ...settings,
    absWorkingDir: root,
    stdin: {
      contents: `export { ${exports.join(", ")} } from ${JSON.stringify(name)};`,
      resolveDir: root,
    },
    metafile: true,
    format: "cjs",
  });
  return { content: contentOf(outputFiles, name), inputs: Object.keys(metafile.inputs) };
}

/**
 * Returns a program of the clone in one CommonJS file: importing a module of Node.js into an ES module loads everything
 * that it exports.
 */
export function bundleFile(root: string, path: string): Promise<Buffer> {
  return bundleText(root, `import ${JSON.stringify(`./${path}`)};`, {
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
  });
}

async function bundleText(
  root: string,
  contents: string,
  options: Pick<BuildOptions, "format" | "define">,
): Promise<Buffer> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    ...settings,
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    ...options,
  });
  return contentOf(outputFiles, contents);
}

function contentOf([file]: readonly OutputFile[], what: string): Buffer {
  if (file === undefined) throw new Error(`esbuild wrote nothing for ${what}`);
  return Buffer.from(shareName(file.text));
}
