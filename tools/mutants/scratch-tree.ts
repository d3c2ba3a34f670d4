import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { type Mutant, plant } from "./mutant.ts";

/** A copy of the checkout with uncommitted changes, in which files may be broken. Disposing of it removes it. */
export interface ScratchTree extends AsyncDisposable {
  readonly root: string;
  /** Plants a mutant; disposing of the result restores the file. Throws `MutantError`. */
  plant(mutant: Mutant): Promise<AsyncDisposable>;
}

export async function openScratchTree(checkout: string): Promise<ScratchTree> {
  await using opening = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), "slipway-mutants-"));
  opening.defer(() => rm(root, { recursive: true, force: true }));
  for (const path of await listFiles(checkout)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await cp(join(checkout, path), join(root, path));
  }
  await linkModules(checkout, root);
  const opened = opening.move();
  return {
    root,
    plant: (mutant) => plantIn(root, mutant),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function plantIn(root: string, mutant: Mutant): Promise<AsyncDisposable> {
  const path = join(root, mutant.file);
  const text = await readFile(path, "utf8");
  await writeFile(path, plant(mutant, text));
  return { [Symbol.asyncDispose]: () => writeFile(path, text) };
}

/** Lists the files that are or could be committed. */
async function listFiles(checkout: string): Promise<readonly string[]> {
  const git = (...flags: readonly string[]) =>
    promisify(execFile)("git", ["ls-files", "-z", ...flags], {
      cwd: checkout,
      maxBuffer: 64 * 1024 * 1024,
    });
  const [present, deleted] = await Promise.all([
    git("--cached", "--others", "--exclude-standard"),
    git("--deleted"),
  ]);
  const gone = new Set(deleted.stdout.split("\0"));
  return present.stdout.split("\0").filter((path) => path !== "" && !gone.has(path));
}

/** Links other packages from the checkout, and ours from the copy. */
async function linkModules(checkout: string, root: string): Promise<void> {
  const own = "@slipway";
  await mkdir(join(root, "node_modules", own), { recursive: true });
  for (const name of await readdir(join(checkout, "node_modules"))) {
    const isState = name.startsWith(".") && name !== ".bin";
    if (name === own || isState) continue;
    await symlink(join(checkout, "node_modules", name), join(root, "node_modules", name));
  }
  for (const name of await readdir(join(root, "packages"))) {
    await symlink(join(root, "packages", name), join(root, "node_modules", own, name));
  }
}
