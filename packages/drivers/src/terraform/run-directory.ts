import { constants } from "node:fs";
import { chown, cp, mkdir, open, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type Clock, parseObject, numberOf, systemErrorCode, textOf } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { type Account, chownTree } from "@slipway/runtime/ownership";

import type { DriverLog } from "../driver.ts";
import { allowTraversalTo } from "../process/publish-commands.ts";
import type { ProcessTable } from "../process/running-process.ts";
import { removeWorkspace, workspaceDirectory } from "../process/workspace-directory.ts";
import type { WorkspaceUsers } from "../process/workspace-users.ts";

/** The directory of one run: a private copy of the template, with the state. Its opener disposes of it. */
export interface RunDirectory extends AsyncDisposable {
  /** The configuration, where the program runs. */
  readonly files: string;
  readonly home: string;
  readonly statePath: string;
  /** Owned by the server, so that no link of a template redirects what it writes. */
  readonly outputPath: string;
  readonly user: Account | undefined;
  /** The state that an interrupted run left. */
  readonly leftState: Uint8Array | undefined;
  /** Records a running program, for a server that starts after this one was killed. */
  recordProcess(pid: number): Promise<void>;
}

export interface RunDirectoryOptions {
  readonly root: string;
  /** Undefined to run as the server's own user. */
  readonly users: WorkspaceUsers | undefined;
  readonly table: ProcessTable;
  readonly clock: Pick<Clock, "sleep">;
}

const pollMs = 500;

/**
 * Opens the directory of a workspace's run, or of another `key`. Waits for a program that an earlier server started
 * there, which may still change the infrastructure.
 */
export async function openRunDirectory(
  options: RunDirectoryOptions,
  { key, template }: { readonly key: string; readonly template: string },
  log: DriverLog,
  signal: AbortSignal,
): Promise<RunDirectory> {
  await makeDirectories(options.root, 0o700);
  const root = await realpath(options.root);
  const directory = workspaceDirectory(root, key);
  const files = join(directory, "files");
  const statePath = join(files, "terraform.tfstate");
  const recordPath = join(directory, "process.json");
  await waitForLeftover(recordPath, options, log, signal);
  const leftState = await readIfThere(statePath);
  await removeWorkspace(root, directory);
  await mkdir(directory, { mode: 0o700 });
  await using opening = new AsyncDisposableStack();
  opening.defer(() => removeWorkspace(root, directory));
  const home = join(directory, "home");
  await mkdir(home, { mode: 0o700 });
  await cp(template, files, { recursive: true, verbatimSymlinks: true });
  const user = await options.users?.assign(directory);
  if (user !== undefined) {
    await chownTree(home, user);
    await chownTree(files, user);
    await allowTraversalTo(directory, [dirname(root), root, directory]);
  }
  const held = opening.move();
  return {
    files,
    home,
    statePath,
    outputPath: join(directory, "output.log"),
    user,
    leftState,
    recordProcess: async (pid) => {
      const start = (await options.table.find(pid))?.start ?? "";
      await writeFile(recordPath, JSON.stringify({ pid, start }), { mode: 0o600 });
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function waitForLeftover(
  recordPath: string,
  { table, clock }: RunDirectoryOptions,
  log: DriverLog,
  signal: AbortSignal,
): Promise<void> {
  const text = await readIfThere(recordPath);
  const record = text && parseObject(text.toString());
  if (record === undefined) return;
  const pid = numberOf(record["pid"]);
  const isRunning = async (): Promise<boolean> => {
    const found = await table.find(pid);
    return found !== undefined && found.start === textOf(record["start"]);
  };
  if (pid === 0 || !(await isRunning())) return;
  log.write("info", "Setting up", `waiting for process ${pid}, which an earlier server started`);
  while (await isRunning()) await clock.sleep(pollMs, signal);
}

/** Reads a file, which the programs of a template may have replaced with a link: that counts as absent. */
async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    return (await file.stat()).isFile() ? await file.readFile() : undefined;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** Writes a file for a run's user. The directory is that of the run, and nothing of it has run yet. */
export async function writeOwned(
  { user }: Pick<RunDirectory, "user">,
  path: string,
  content: Uint8Array | string,
): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, content, { mode: 0o600, flag: "wx" });
  if (user !== undefined) await chown(path, user.uid, user.gid);
}
