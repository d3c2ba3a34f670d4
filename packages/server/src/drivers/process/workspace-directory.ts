import { chmod, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { DriverError } from "../errors.ts";
import { systemErrorCode } from "./system-error.ts";

/** What is in a workspace's directory. All of it belongs to the workspace's owner. */
export interface WorkspacePaths {
  readonly home: string;
  readonly tmp: string;
  readonly log: string;
  readonly scriptData: string;
  /** Records and sockets of the agents. */
  readonly run: string;
  /** What the agents write to stdout and stderr. */
  readonly agentLog: string;
}

export function workspacePaths(directory: string): WorkspacePaths {
  return {
    home: join(directory, "home"),
    tmp: join(directory, "tmp"),
    log: join(directory, "log"),
    scriptData: join(directory, "script-data"),
    run: join(directory, "run"),
    agentLog: join(directory, "agent.log"),
  };
}

/** The directory of a workspace. Throws `unsafe-path` for an id that is more than a name. */
export function workspaceDirectory(workspacesDir: string, workspaceId: string): string {
  if (/^[\da-z][\da-z-]{0,63}$/i.test(workspaceId)) return join(workspacesDir, workspaceId);
  throw new DriverError(
    "unsafe-path",
    `workspace id ${JSON.stringify(workspaceId)}, wanted a UUID`,
  );
}

/** Makes what is missing. Throws `unsafe-path` when the directory is a link, or no directory. */
export async function makeWorkspace(directory: string): Promise<WorkspacePaths> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    await refuseLink(directory);
  }
  const paths = workspacePaths(directory);
  for (const path of [paths.home, paths.tmp, paths.log, paths.scriptData, paths.run]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
  return paths;
}

/**
 * Removes a workspace's directory. Links in it are removed, never followed. Throws `unsafe-path` when the directory
 * itself is a link, or is not right below `workspacesDir`.
 */
export async function removeWorkspace(workspacesDir: string, directory: string): Promise<void> {
  if (dirname(directory) !== workspacesDir) {
    throw new DriverError("unsafe-path", `${directory} is not a workspace in ${workspacesDir}`);
  }
  try {
    await refuseLink(directory);
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    if (!["EACCES", "EPERM"].includes(systemErrorCode(error) ?? "")) throw error;
    // Package caches are often made read-only.
    await makeWritable(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

async function refuseLink(directory: string): Promise<void> {
  if ((await lstat(directory)).isDirectory()) return;
  throw new DriverError("unsafe-path", `${directory} is a link or a file, wanted a directory`);
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}
