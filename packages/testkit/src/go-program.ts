import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A program that Go builds from a module of this repository. */
export interface GoProgram {
  /** The name of the program's file, and the beginning of the name of its directory in the cache. */
  readonly name: string;
  /** The directory of the module. */
  readonly module: string;
  /** The package to build: that of the module, or one that it requires. */
  readonly target: string;
  /** True to build it without libraries of C (default: false). */
  readonly isPure?: boolean;
  /** Adds files to the program's directory, when it is built. */
  readonly complete?: (directory: string) => Promise<void>;
}

/**
 * Builds a program unless the user's cache has that of the same module; resolves to its directory. Large programs take
 * minutes of two processors.
 */
export async function buildGoProgram(program: GoProgram): Promise<string> {
  const { name, module, complete } = program;
  const hash = createHash("sha256");
  for (const file of (await readdir(module)).toSorted()) {
    hash.update(`${file}\n`).update(await readFile(join(module, file)));
  }
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipway");
  const directory = join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (await isThere(join(directory, name))) return directory;
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(`${directory}-`);
  try {
    await build(program, join(building, name));
    await complete?.(building);
    await rename(building, directory);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Another process may have been faster.
    if (!(await isThere(join(directory, name)))) throw error;
  }
  return directory;
}

async function build({ module, target, isPure = false }: GoProgram, output: string): Promise<void> {
  const args = ["build", "-trimpath", "-ldflags", "-s -w", "-o", output, target];
  const env = isPure ? { ...process.env, CGO_ENABLED: "0" } : process.env;
  const go = spawn("go", args, { cwd: module, env, stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(go, "exit");
  if (code !== 0) throw new Error(`go ${args.join(" ")} ended with ${code}`);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
