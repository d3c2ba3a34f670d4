import { access, constants, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { shellWord } from "@slipway/runtime";
import { replaceFile } from "@slipway/runtime/replace-file";

import { findProgram } from "./find-program.ts";
import { writeLoginFiles } from "./login-shell.ts";
import { dataName, makePrivateDirectory } from "./private-directory.ts";

type Variables = Readonly<Record<string, string | undefined>>;

export interface CommandProgramOptions {
  readonly environment: Variables;
  /** The directory of the agent's files; the programs get a directory in it. */
  readonly dataDir: string;
  /** The program that this process runs. */
  readonly agentProgram: string;
}

/** The names of the command: `coder` is for templates written for it, such as `coder stat mem`. */
const names = ["slipway", "coder"];

/** The bundle of the commands for workspaces, relative to the directory of the agent's program. */
const bundles = ["workspace.js", "../../cli/dist/workspace.js", "../dist/workspace.js"];

/**
 * Makes the command `slipway` available in the workspace, regardless of how the agent was started. Resolves to the
 * directory of its programs, which goes to the end of PATH, after the workspace's own programs; undefined if the
 * machine has no command.
 */
export async function makeCommandPrograms(
  options: CommandProgramOptions,
): Promise<string | undefined> {
  const command = await findCommand(options);
  if (command === undefined) return undefined;
  const place = join(options.dataDir, dataName, "commands");
  // Another user may own that place, as in /tmp.
  const directory = (await makePrivateDirectory(place))
    ? place
    : await mkdtemp(join(tmpdir(), "slipway-commands-"));
  const text = `#!/bin/sh\nexec ${command.map(shellWord).join(" ")} "$@"\n`;
  for (const name of names) await replaceFile(join(directory, name), text, { mode: 0o700 });
  await writeLoginFiles(directory);
  return directory;
}

/** Returns the words that run the command: a program of the machine, or the bundle that came with the agent. */
async function findCommand({
  environment,
  dataDir,
  agentProgram,
}: CommandProgramOptions): Promise<readonly string[] | undefined> {
  // An agent that was started in a workspace finds the programs of the workspace's agent.
  const folders = (environment["PATH"] ?? "").split(":");
  const others = folders.filter((folder) => !folder.startsWith(dataDir));
  const found = await findProgram(["slipway"], others.join(":"));
  if (found !== undefined) return [found];
  const program = await realpath(agentProgram).catch(() => undefined);
  if (program === undefined) return undefined;
  for (const bundle of bundles) {
    const path = join(dirname(program), bundle);
    if (await isReadable(path)) return [process.execPath, path];
  }
  return undefined;
}

async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
