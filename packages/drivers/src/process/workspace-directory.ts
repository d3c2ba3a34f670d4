import { chmod, chown, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { type Account, chownTree } from "@slipway/runtime/ownership";

import { DriverError } from "../errors.ts";
import { makeHome } from "./make-home.ts";

/** The paths in a workspace's directory. */
export interface WorkspacePaths {
  // Given to the workspace's user, after which we write nothing there.
  readonly home: string;
  readonly tmp: string;
  readonly log: string;
  readonly scriptData: string;
  readonly sockets: string;
  // Owned by the server.
  /** Records of the agents. */
  readonly run: string;
  /** The agents' stdout and stderr. */
  readonly agentLog: string;
}

export function workspacePaths(directory: string): WorkspacePaths {
  return {
    home: join(directory, "home"),
    tmp: join(directory, "tmp"),
    log: join(directory, "log"),
    scriptData: join(directory, "script-data"),
    sockets: join(directory, "sockets"),
    run: join(directory, "run"),
    agentLog: join(directory, "agent.log"),
  };
}

/** Returns the directory of a workspace. Throws `unsafe-path` for an id that is not a plain name. */
export function workspaceDirectory(workspacesDir: string, workspaceId: string): string {
  if (/^[\da-z][\da-z-]{0,63}$/i.test(workspaceId)) return join(workspacesDir, workspaceId);
  throw new DriverError(
    "unsafe-path",
    `workspace id ${JSON.stringify(workspaceId)}, wanted a UUID`,
  );
}

/**
 * Creates missing directories, and gives the workspace's user ownership of all but the directory itself, the records
 * and the log, so that none of the user's links can redirect us. Throws `unsafe-path` if a directory is a link, or
 * not a directory.
 */
export async function makeWorkspace(
  directory: string,
  user: Account | undefined,
): Promise<WorkspacePaths> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    await requireDirectory(directory);
  }
  const paths = workspacePaths(directory);
  await makeDirectories(paths.run, 0o700);
  if (user !== undefined) await allowTraversal(directory, user);
  await makeHome(paths.home);
  for (const path of [paths.home, paths.tmp, paths.log, paths.scriptData, paths.sockets]) {
    if (user === undefined) await makeDirectories(path, 0o700);
    else await makeOwnedDirectory(path, user);
  }
  return paths;
}

/**
 * Removes a workspace's directory. Links in it are removed, never followed. Throws `unsafe-path` when the directory
 * itself is a link, or is not directly below `workspacesDir`.
 */
export async function removeWorkspace(workspacesDir: string, directory: string): Promise<void> {
  if (dirname(directory) !== workspacesDir) {
    throw new DriverError("unsafe-path", `${directory} is not a workspace in ${workspacesDir}`);
  }
  try {
    await requireDirectory(directory);
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    if (!["EACCES", "EPERM"].includes(systemErrorCode(error) ?? "")) throw error;
    // Package caches are often made read-only.
    await makeWritable(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

async function requireDirectory(directory: string): Promise<void> {
  if ((await lstat(directory)).isDirectory()) return;
  throw new DriverError("unsafe-path", `${directory} is a link or a file, wanted a directory`);
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}

/** Lets a user traverse a directory of ours, and nothing else. */
async function allowTraversal(directory: string, { gid }: Account): Promise<void> {
  await chown(directory, process.getuid?.() ?? 0, gid);
  await chmod(directory, 0o710);
}

/**
 * Creates a directory owned by the user, or transfers an existing one with everything in it that its owner had.
 * Throws `unsafe-path` for a link or a file.
 */
async function makeOwnedDirectory(path: string, user: Account): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
  const found = await lstat(path);
  if (!found.isDirectory()) {
    throw new DriverError("unsafe-path", `${path} is a link or a file, wanted a directory`);
  }
  if (found.uid === user.uid) return;
  await chownTree(path, user);
  await chmod(path, 0o700);
}
