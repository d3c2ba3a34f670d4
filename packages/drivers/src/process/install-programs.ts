import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

import { publishCommands } from "./publish-commands.ts";

export interface ProgramOptions {
  readonly agentCommand: readonly string[];
  /** Programs by the name under which workspaces call them. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  readonly runtimeDir: string;
  /** True if workspaces run as users who may be unable to read a command's files in their original place. */
  readonly isPublic: boolean;
}

export interface InstalledPrograms {
  readonly agentCommand: readonly string[];
  /** The directory to add to the `PATH` of workspaces. */
  readonly programsDir: string;
}

/** Installs the agent and the programs for workspaces, replacing those of an earlier release. */
export async function installPrograms({
  agentCommand,
  programs,
  runtimeDir,
  isPublic,
}: ProgramOptions): Promise<InstalledPrograms> {
  const programsDir = join(runtimeDir, "bin");
  const names = Object.keys(programs);
  const given = [agentCommand, ...Object.values(programs)];
  const [agent = [], ...others] = isPublic ? await publishCommands(given, runtimeDir) : given;
  await makeDirectories(programsDir);
  await chmod(programsDir, 0o755);
  for (const [index, name] of names.entries()) {
    await writeProgram(join(programsDir, name), others[index] ?? []);
  }
  const left = (await readdir(programsDir)).filter((name) => !names.includes(name));
  for (const name of left) await rm(join(programsDir, name), { force: true });
  return { agentCommand: agent, programsDir };
}

/** Replaces a program atomically: a workspace that runs it meanwhile gets the old version or the new one. */
async function writeProgram(path: string, command: readonly string[]): Promise<void> {
  const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  await replaceFile(path, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`, { mode: 0o755 });
}
