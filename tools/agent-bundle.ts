import { mkdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import type { Plugin } from "esbuild";

export interface AgentBundleOptions {
  readonly entry: string;
  readonly output: string;
  readonly force: boolean;
  /** Packages that the program loads from the clone when it needs them. */
  readonly loadedLater?: readonly string[];
}

export interface AgentBundle {
  /** The size of the new bundle; undefined when the existing one was up to date. */
  readonly bytes: number | undefined;
}

/** Modules that may be absent, or are not JavaScript: the agent loads them at run time if they exist. */
const external = [
  "@lydell/node-pty",
  "sodium-native",
  "bufferutil",
  "utf-8-validate",
  "cpu-features",
  "*.node",
];

/** The globals that CommonJS packages inside an ES module expect. */
const banner = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

/** Bundles `entry` unless `output` is newer than all its inputs, whose list stands beside it. */
export async function buildAgent(options: AgentBundleOptions): Promise<AgentBundle> {
  const inputsPath = `${options.output}.inputs.json`;
  if (!options.force && (await isUpToDate(options.output, inputsPath))) return { bytes: undefined };

  const started = new Date();
  // Loading esbuild takes longer than finding nothing to do.
  const { build } = await import("esbuild");
  const { metafile, outputFiles } = await build({
    entryPoints: [options.entry],
    outfile: options.output,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node24",
    format: "esm",
    conditions: ["@slipway/source"],
    external,
    plugins: [leaveOut(options.loadedLater ?? [])],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    banner: { js: banner },
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote no bundle for ${options.entry}`);

  const inputs = [...Object.keys(metafile.inputs), fileURLToPath(import.meta.url)];
  await mkdir(dirname(options.output), { recursive: true });
  await replace(inputsPath, JSON.stringify(inputs));
  await replace(options.output, file.contents);
  // An input that changes during the build is newer than this.
  await utimes(options.output, started, started);
  return { bytes: file.contents.byteLength };
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
