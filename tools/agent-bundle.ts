import { mkdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { BuildOptions, Metafile, OutputFile, Plugin } from "esbuild";

import { importDirectly } from "./direct-imports.ts";

export interface AgentBundleOptions {
  readonly entry: string;
  readonly output: string;
  readonly force: boolean;
  /**
   * The format of the bundle (default: esm). A program of short starts is CommonJS: to import a module of Node.js is to
   * read everything that it exports, which loads much more. `module` is CommonJS that exports what its entry exports.
   */
  readonly format?: "esm" | "cjs" | "module";
  /** Packages that the program loads from the clone when it needs them. */
  readonly loadedLater?: readonly string[];
  /** Keeps the lines (default: false), so that the stacks in a log name them. */
  readonly keepLines?: boolean;
}

export interface AgentBundle {
  /** The size of the new bundle; undefined when the existing one was up to date. */
  readonly bytes: number | undefined;
}

/** Modules that may be absent, or are not JavaScript: the agent loads them at run time if they exist. */
const external = ["@lydell/node-pty", "bufferutil", "utf-8-validate", "*.node"];

/** Parts of ssh2 that installing it would have to compile, which `npm ci` does not: looking for them takes milliseconds. */
const neverThere = /^cpu-features$|\/sshcrypto\.node$/;

const settings = {
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  external,
  // Its main file finds the others only as separate files.
  alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions & { readonly write: false };

/**
 * Modules of Node.js that packages require before they know whether they need them; each takes milliseconds and megabytes.
 * They are loaded when something of theirs is read.
 */
const loadedOnUse = new Set(["https", "tls", "zlib"]);

/** The globals that CommonJS packages inside an ES module expect. */
const banner = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

/** Stands for `import.meta` in a CommonJS bundle, which has none. */
const metaOfCommonJs = {
  "import.meta.url": "__importMetaUrl",
  "import.meta.resolve": "__importMetaResolve",
};
/** Defines these for a bundle that uses them. */
export const commonJsMeta = `const { pathToFileURL: __toUrl } = require("node:url");
const __importMetaUrl = __toUrl(__filename).href;
const __importMetaResolve = (name) => __toUrl(require.resolve(name)).href;`;

/** Bundles `entry` unless `output` is newer than all its inputs, whose list stands beside it. */
export async function buildAgent(options: AgentBundleOptions): Promise<AgentBundle> {
  const inputsPath = `${options.output}.inputs.json`;
  if (!options.force && (await isUpToDate(options.output, inputsPath))) return { bytes: undefined };

  // The times of files have parts of a millisecond, dates have not. In this one nothing is read yet.
  const started = new Date(Date.now() + 1);
  // Loading esbuild takes longer than finding nothing to do.
  const { build } = await import("esbuild");
  const { format = "esm", keepLines = false } = options;
  const isSplit = format === "cjs";
  const { metafile, outputFiles } = await build({
    ...settings,
    minifyWhitespace: !keepLines,
    entryPoints: [options.entry],
    metafile: true,
    format: format === "module" ? "cjs" : "esm",
    conditions: ["@slipway/source"],
    plugins: [
      refuse,
      leaveOut(options.loadedLater ?? []),
      loadOnUse,
      ...(isSplit ? [importDirectly] : []),
    ],
    define: isSplit ? metaOfCommonJs : {},
    banner: { js: format === "esm" ? banner : "" },
    ...(isSplit ? { outdir: chunkDirectory, splitting: true } : { outfile: options.output }),
  });
  // Made at once, a CommonJS bundle would hold and load all of each module that an `import()` reaches, used or not.
  const joined = isSplit
    ? await build({
        ...settings,
        entryPoints: [entryChunk(metafile, options.entry)],
        outfile: options.output,
        format,
        // A script that is not loaded by Node.js itself has no `import()`; `require` loads ES modules as well.
        supported: { "dynamic-import": false },
        banner: { js: outputFiles.some(usesMeta) ? commonJsMeta : "" },
        plugins: [readFrom(outputFiles), leaveOut(options.loadedLater ?? [])],
      })
    : undefined;
  const [file] = joined?.outputFiles ?? outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote no bundle for ${options.entry}`);

  const files = Object.keys(metafile.inputs).filter((path) => !made.test(path));
  const inputs = [...files, fileURLToPath(import.meta.url)];
  await mkdir(dirname(options.output), { recursive: true });
  await replace(inputsPath, JSON.stringify(inputs));
  const text = toAscii(file.text);
  await replace(options.output, text);
  // An input that changes during the build is newer than this.
  await utimes(options.output, started, started);
  return { bytes: Buffer.byteLength(text) };
}

/**
 * Escapes what is not ASCII: for one such character, even in a comment, V8 may hold the whole source with two bytes a
 * character. esbuild leaves them in comments, regular expressions and tagged templates, where the escape means the same.
 */
function toAscii(text: string): string {
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function usesMeta({ text }: OutputFile): boolean {
  return text.includes("__importMeta");
}

/** Returns the path of the chunk that the program begins with; the chunks of its `import()`s may come before it. */
function entryChunk({ outputs }: Metafile, entry: string): string {
  const chunk = Object.entries(outputs).find(
    ([, { entryPoint }]) => entryPoint !== undefined && resolve(entryPoint) === resolve(entry),
  );
  if (chunk === undefined) throw new Error(`esbuild made no chunk of ${entry}`);
  return resolve(chunk[0]);
}

/** Leaves these packages out, but not their subpaths, as the option `external` would. */
function leaveOut(packages: readonly string[]): Plugin {
  return {
    name: "leave out",
    setup(build) {
      build.onResolve({ filter: /^[^.]/ }, ({ path }) =>
        packages.includes(path) ? { path, external: true } : undefined,
      );
    },
  };
}

/** The directory of the chunks of a bundle, which are never written. */
const chunkDirectory = "/chunks";

/** Reads the chunks of another build from memory. */
function readFrom(chunks: readonly OutputFile[]): Plugin {
  const namespace = "chunk";
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter: /^\.?\// }, ({ path }) => ({
        path: resolve(chunkDirectory, path),
        namespace,
      }));
      build.onLoad({ filter: /^/, namespace }, ({ path }) => {
        const chunk = chunks.find((file) => file.path === path);
        return chunk === undefined ? undefined : { contents: chunk.contents };
      });
    },
  };
}

const refused = "refused";

/** Refuses at once to load what is never there. */
const refuse: Plugin = {
  name: refused,
  setup(build) {
    build.onResolve({ filter: neverThere }, ({ path }) => ({ path, namespace: refused }));
    build.onLoad({ filter: /^/, namespace: refused }, () => ({
      contents: `throw new Error("not compiled");`,
    }));
  },
};

const onUse = "load-on-use";

/** The inputs of a bundle that are no files. */
const made = new RegExp(`^(?:${refused}|${onUse}):`);

/** Puts an object that loads the module at the first access in the place of each of `loadedOnUse`. */
const loadOnUse: Plugin = {
  name: onUse,
  setup(build) {
    build.onResolve({ filter: /^[a-z]+$/ }, ({ path, kind }) =>
      kind === "require-call" && loadedOnUse.has(path) ? { path, namespace: onUse } : undefined,
    );
    build.onLoad({ filter: /^/, namespace: onUse }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, {
        get: (_, name) => process.getBuiltinModule(${JSON.stringify(path)})[name],
      });`,
    }));
  },
};

async function isUpToDate(output: string, inputsPath: string): Promise<boolean> {
  try {
    const inputs: unknown = JSON.parse(await readFile(inputsPath, "utf8"));
    if (!Array.isArray(inputs)) return false;
    const { mtimeMs } = await stat(output);
    const stats = await Promise.all(inputs.map((input) => stat(String(input))));
    return stats.every((input) => input.mtimeMs <= mtimeMs);
  } catch {
    // An absent bundle, list or input: build again.
    return false;
  }
}

/**
 * Replaces the bundle at once: another process that starts the agent meanwhile sees the old file or the new one, never
 * half of one.
 */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}
