import { access, constants, realpath } from "node:fs/promises";
import { basename, delimiter, dirname, join, resolve } from "node:path";

import type { Environment } from "@slipway/sdk/session";

/** The process that runs a command. */
export interface CommandProcess {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** The path of the program's script. */
  readonly script: string | undefined;
}

/** The script of an archive, below its root, and the program that runs it. */
const archiveScript = { name: "command.cjs", depth: "../.." } as const;
const launcher = "bin/slipway";
/** The link that `install.sh` creates, relative to the directory of a release. */
const installedLink = "../../../bin/slipway";

/**
 * Returns the words that run this command again, from anywhere and with any PATH. For an archive that is the
 * installed name, if there is one, which outlives the release; Node.js itself may need that program's C library.
 */
export async function ownCommand(
  environment: Environment,
  { execPath, execArgv, script }: CommandProcess = {
    execPath: process.execPath,
    execArgv: process.execArgv,
    script: process.argv[1],
  },
): Promise<readonly string[]> {
  if (script !== undefined && basename(script) === archiveScript.name) {
    const root = resolve(dirname(script), archiveScript.depth);
    const program = join(root, launcher);
    if (await isProgram(program)) return [await installedName(root, program, environment)];
  }
  return [execPath, ...execArgv, ...(script === undefined ? [] : [script])];
}

/** Returns the first name that leads to a program: the installer's place, or one in PATH. */
async function installedName(
  root: string,
  program: string,
  environment: Environment,
): Promise<string> {
  const directories = (environment["PATH"] ?? "").split(delimiter).filter((path) => path !== "");
  const names = [join(root, installedLink), ...directories.map((path) => join(path, "slipway"))];
  const target = await realpath(program);
  for (const name of names) {
    const found = await realpath(name).catch(() => undefined);
    if (found === target) return resolve(name);
  }
  return program;
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
