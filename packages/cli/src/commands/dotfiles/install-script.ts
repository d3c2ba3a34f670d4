import { access, constants, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

import { CommandError } from "../../command/errors.ts";
import { runProgram } from "../../resources/inside/run-program.ts";

/** The names of install scripts; the first that exists is run (docs/protocol/agent.md §9.5). */
const names = ["install.sh", "install", "bootstrap.sh", "bootstrap", "setup.sh", "setup"];
const places = [...names, ...names.map((name) => `script/${name}`)];

export interface InstallScript {
  /** The path in the clone. */
  readonly name: string;
  readonly path: string;
}

/**
 * Finds the install script of a clone; undefined for none. Throws `CommandError` if it is not executable or leads
 * out of the clone.
 */
export async function findInstallScript(clone: string): Promise<InstallScript | undefined> {
  for (const name of places) {
    const path = join(clone, name);
    if (!(await isFile(path))) continue;
    if (!(await realpath(path)).startsWith(`${await realpath(clone)}${sep}`)) {
      throw new CommandError(`${name} of the dotfiles is a link that leads out of the repository`);
    }
    if (!(await isExecutable(path))) {
      throw new CommandError(`${name} of the dotfiles is not executable`, {
        hint: `commit it as executable: git update-index --chmod=+x ${name}`,
      });
    }
    return { name, path };
  }
  return undefined;
}

interface ScriptNeeds {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Runs an install script in the clone, on this terminal. Throws `CommandError` if it fails. */
export async function runInstallScript(
  { name, path }: InstallScript,
  clone: string,
  { environment, signal }: ScriptNeeds,
): Promise<void> {
  const hint = "its first line must name a program that exists";
  const code = await runProgram([path], { cwd: clone, environment, signal, hint });
  signal.throwIfAborted();
  if (code !== 0) throw new CommandError(`${name} of the dotfiles ended with ${code}`);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Missing, a link to nothing, or in a path that is not a directory.
    return false;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
