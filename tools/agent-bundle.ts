import { mkdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { BuildOptions, Metafile, OutputFile, Plugin } from "esbuild";

import { importDirectly } from "./direct-imports.ts";
import { plainDescriptors } from "./plain-descriptors.ts";
import { shareName } from "./shared-name.ts";

export interface AgentBundleOptions {
  readonly entry: string;
  readonly output: string;
  readonly force: boolean;
  /**
   * The format of the bundle (default: esm). Programs with short runs use CommonJS: importing a Node.js module reads
   * everything that it exports, which loads much more. `module` is CommonJS with the exports of its entry. `chunks` is an
   * object with a function for each chunk, which `packages/cli/src/config/run-chunks.ts` runs.
   */
  readonly format?: "esm" | "cjs" | "module" | "chunks";
  /** Modules of Node.js that are loaded at the first access; none of them is imported as a whole. */
  readonly builtinsOnUse?: readonly string[];
  /** Packages that the program loads from the clone on demand. */
  readonly loadedLater?: readonly string[];
  /** Leaves out the WebAssembly of ssh2, which it compiles at its start for ChaCha20-Poly1305 only (default: false). */
  readonly withoutChaCha?: boolean;
  /** Keeps line breaks (default: false), so that stack traces in a log have useful line numbers. */
  readonly keepLines?: boolean;
}

export interface AgentBundle {
  /** The size of the new bundle; undefined when the existing one was up to date. */
  readonly bytes: number | undefined;
}

/** Modules that may be absent or are not JavaScript: the agent loads them at run time if they exist. */
const external = ["@lydell/node-pty", "bufferutil", "utf-8-validate", "*.node"];

/** Parts of ssh2 that need compilation, which `npm ci` skips: looking for them takes milliseconds. */
const neverThere = /^cpu-features$|\/sshcrypto\.node$/;

const settings = {
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  external,
  // Its main file only finds the others as separate files.
  alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions & { readonly write: false };

/**
 * Node.js modules that packages require before they know whether they need them; each takes milliseconds and
 * megabytes. They are loaded at the first access.
 */
const loadedOnUse = new Set(["https", "tls", "zlib"]);

/** The globals that CommonJS packages inside an ES module expect. */
const banner = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

/** A replacement for `import.meta` in a CommonJS bundle, which has none. */
const metaOfCommonJs = {
  "import.meta.url": "__importMetaUrl",
  "import.meta.resolve": "__importMetaResolve",
};
/** Node.js gives `import()` only to modules that it loads itself; `require` loads ES modules too. */
const noDynamicImport = { "dynamic-import": false };
/** Definitions for a bundle that uses the replacement. */
const commonJsMeta = `const { pathToFileURL: __toUrl } = require("node:url");
const __importMetaUrl = __toUrl(__filename).href;
const __importMetaResolve = (name) => __toUrl(require.resolve(name)).href;`;

/** The files that decide how a bundle is made. */
const ownParts = ["agent-bundle", "direct-imports", "plain-descriptors", "shared-name"].map(
  (name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url)),
);

/** Bundles `entry` unless `output` is newer than all its inputs, which are listed in a file next to it. */
export async function buildAgent(options: AgentBundleOptions): Promise<AgentBundle> {
  const inputsPath = `${options.output}.inputs.json`;
  if (!options.force && (await isUpToDate(options.output, inputsPath))) return { bytes: undefined };

  // File times have fractions of a millisecond, dates do not. No input is read in this millisecond.
  const started = new Date(Date.now() + 1);
  // Loading esbuild takes longer than finding nothing to do.
  const { build } = await import("esbuild");
  const { format = "esm", keepLines = false, withoutChaCha = false } = options;
  const isSplit = format === "cjs" || format === "chunks";
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
      skipSshProbe,
      ...(withoutChaCha ? [skipChaCha] : []),
      plainDescriptors,
      loadBuiltinsOnUse(options.builtinsOnUse ?? []),
      ...(isSplit ? [importDirectly] : []),
    ],
    define: isSplit ? metaOfCommonJs : {},
    banner: { js: format === "esm" ? banner : "" },
    ...(isSplit ? { outdir: chunkDirectory, splitting: true } : { outfile: options.output }),
  });
  // In one step, a CommonJS bundle would contain and load all of each module that an `import()` reaches, used or not.
  const joined =
    format === "cjs"
      ? await build({
          ...settings,
          entryPoints: [entryChunk(metafile, options.entry)],
          outfile: options.output,
          format,
          supported: noDynamicImport,
          banner: { js: outputFiles.some(usesMeta) ? commonJsMeta : "" },
          plugins: [readFrom(outputFiles), leaveOut(options.loadedLater ?? [])],
        })
      : undefined;
  const [file] = joined?.outputFiles ?? outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote no bundle for ${options.entry}`);

  const files = Object.keys(metafile.inputs).filter((path) => !made.test(path));
  const inputs = [...files, ...ownParts];
  await mkdir(dirname(options.output), { recursive: true });
  await replace(inputsPath, JSON.stringify(inputs));
  const text = shareName(toAscii(format === "chunks" ? await chunksText(outputFiles) : file.text));
  await replace(options.output, text);
  // An input that changes during the build is newer than this time.
  await utimes(options.output, started, started);
  return { bytes: Buffer.byteLength(text) };
}

/**
 * Escapes non-ASCII characters: because of a single one, even in a comment, V8 may store the whole source with two
 * bytes per character. esbuild leaves them in comments, regular expressions and tagged templates, where the escape
 * means the same.
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

/** Returns the path of the chunk with the program's entry; the chunks of its `import()`s may precede it. */
function entryChunk({ outputs }: Metafile, entry: string): string {
  const chunk = Object.entries(outputs).find(
    ([, { entryPoint }]) => entryPoint !== undefined && resolve(entryPoint) === resolve(entry),
  );
  if (chunk === undefined) throw new Error(`esbuild made no chunk of ${entry}`);
  return resolve(chunk[0]);
}

/** Leaves these packages out with their main entry only; the option `external` would leave out their subpaths too. */
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

/** The statement with which a chunk exports a copy of its names, and one that saves each access its second getter. */
const copiedExports = "module.exports=__toCommonJS(stdin_exports);";
const ownExports = 'module.exports=__defProp(stdin_exports,"__esModule",{value:!0});';

/**
 * Returns an object with a function for each chunk, by its name in the imports of the others. One CommonJS bundle would
 * instead declare all functions of all chunks when it starts.
 */
async function chunksText(chunks: readonly OutputFile[]): Promise<string> {
  const { transform } = await import("esbuild");
  const properties = chunks.map(async ({ path, text }) => {
    const { code } = await transform(text, {
      platform: "node",
      target: settings.target,
      format: "cjs",
      minifySyntax: true,
      minifyWhitespace: true,
      supported: noDynamicImport,
    });
    const name = JSON.stringify(`./${relative(chunkDirectory, path)}`);
    const body = code.replace(/^#!.*/, "").replace(copiedExports, ownExports);
    return `${name}:(require,module,${Object.values(metaOfCommonJs).join(",")})=>{${body}}`;
  });
  return `({\n${(await Promise.all(properties)).join(",\n")}\n})\n`;
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

/** Fails immediately for modules that never exist. */
const refuse: Plugin = {
  name: refused,
  setup(build) {
    build.onResolve({ filter: neverThere }, ({ path }) => ({ path, namespace: refused }));
    build.onLoad({ filter: /^/, namespace: refused }, () => ({
      contents: `throw new Error("not compiled");`,
    }));
  },
};

/** A function of ssh2 that signs and verifies to find out whether Node.js has Ed25519, which takes milliseconds. */
const sshProbe = /(?<=const eddsaSupported = )\(\(\) => \{.*?\n\}\)\(\)(?=;\n)/s;

/** Answers the question, as every Node.js that runs a bundle has it. Throws if a release of ssh2 asks differently. */
const skipSshProbe: Plugin = {
  name: "skip the probe of ssh2",
  setup(build) {
    build.onLoad({ filter: /\/ssh2\/lib\/protocol\/constants\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!sshProbe.test(text)) throw new Error(`${path} has no eddsaSupported to replace`);
      return { contents: text.replace(sshProbe, "true") };
    });
  },
};

const onUse = "load-on-use";
const builtinOnUse = "load-builtin-on-use";

/** The inputs of a bundle that are not files. */
const made = new RegExp(`^(?:${refused}|${onUse}|${builtinOnUse}):`);

/** Replaces each module of `loadedOnUse` with an object that loads it at the first access. */
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

/**
 * Replaces these modules of Node.js like `loadOnUse`, for imports by name: esbuild copies the properties that a module
 * has itself, so that the object which loads it is the prototype.
 */
function loadBuiltinsOnUse(names: readonly string[]): Plugin {
  return {
    name: builtinOnUse,
    setup(build) {
      // An `import()` loads its module on use by itself, and as a chunk would have no names but `default`.
      build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
        kind !== "dynamic-import" && names.includes(path)
          ? { path, namespace: builtinOnUse }
          : undefined,
      );
      build.onLoad({ filter: /^/, namespace: builtinOnUse }, ({ path }) => ({
        contents: `module.exports = Object.create(new Proxy({}, {
          get: (_, name) => process.getBuiltinModule(${JSON.stringify(path)})[name],
        }), { __esModule: { value: false } });`,
      }));
    },
  };
}

/** The promise of ssh2 that its WebAssembly is compiled. */
const chaChaStart = /(?<=\n  init: )\(\(\) => \{.*?\n  \}\)\(\)(?=,\n)/s;

/** Compiles nothing, for a client that never offers the cipher. Throws if a release of ssh2 starts differently. */
const skipChaCha: Plugin = {
  name: "skip the WebAssembly of ssh2",
  setup(build) {
    build.onLoad({ filter: /\/ssh2\/lib\/protocol\/crypto\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!chaChaStart.test(text)) throw new Error(`${path} has no init to replace`);
      return { contents: text.replace(chaChaStart, "Promise.resolve()") };
    });
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
    // The bundle, its list or an input is missing: build again.
    return false;
  }
}

/**
 * Replaces the bundle atomically: another process that starts the agent sees either the old file or the new one,
 * never a partial one.
 */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}
