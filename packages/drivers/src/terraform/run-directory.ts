import { chown, cp, mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";
import { type Account, chownTree } from "@slipway/runtime/ownership";

import type { DriverLog } from "../driver.ts";
import { allowTraversalTo } from "../process/publish-commands.ts";
import { workspaceDirectory } from "../process/workspace-directory.ts";
import type { WorkspaceUsers } from "../process/workspace-users.ts";
import { discardDirectory } from "./discard-directory.ts";
import {
  type LeftoverBuild,
  type LeftoverOptions,
  noteKept,
  recordProcess,
  type RunFiles,
  runFiles,
  settleLeftover,
} from "./leftover-run.ts";

/** The directory of one run: a private copy of the template, with the state. Its opener disposes of it. */
export interface RunDirectory extends AsyncDisposable, Pick<RunFiles, "statePath" | "leasePath"> {
  /** The configuration, where the program runs. */
  readonly files: string;
  readonly home: string;
  /** Owned by the server, so that no link of a template redirects what it writes. */
  readonly outputPath: string;
  readonly user: Account | undefined;
  /** Records a running program, for a server that starts after this one was killed. */
  recordProcess(program: { readonly pid: number; readonly isGuarded: boolean }): Promise<void>;
  /** Has a state kept. If that fails, the directory stays for the next run. */
  keepState(state: Uint8Array): Promise<void>;
}

export interface RunDirectoryOptions extends LeftoverOptions {
  readonly root: string;
  /** Undefined to run as the server's own user. */
  readonly users: WorkspaceUsers | undefined;
}

/** The subject of a run. */
export interface RunSubject {
  /** The name of its directory: the id of the workspace, or of the version. */
  readonly key: string;
  /** The directory of the template's files. */
  readonly template: string;
  /** Undefined for a run that changes nothing. */
  readonly build: LeftoverBuild | undefined;
}

/**
 * Opens the directory of a workspace's run, or of another `key`. Waits for a program that an earlier server started
 * there, which may still change the infrastructure.
 */
export async function openRunDirectory(
  options: RunDirectoryOptions,
  { key, template, build }: RunSubject,
  log: DriverLog,
  signal: AbortSignal,
): Promise<RunDirectory> {
  await makeDirectories(options.root, 0o700);
  const root = await realpath(options.root);
  const directory = workspaceDirectory(root, key);
  const files = join(directory, "files");
  const kept = runFiles(directory);
  const state = build && (await settleLeftover(kept, build, options, log, signal));
  signal.throwIfAborted();
  await discardDirectory(root, directory);
  await mkdir(directory, { mode: 0o700 });
  await using opening = new AsyncDisposableStack();
  let isNeeded = false;
  opening.defer(async () => {
    if (!isNeeded) await discardDirectory(root, directory);
  });
  await noteKept(kept, state);
  const home = join(directory, "home");
  await mkdir(home, { mode: 0o700 });
  await cp(template, files, { recursive: true, verbatimSymlinks: true });
  const user = await options.users?.assign(directory);
  if (user !== undefined) {
    await chownTree(home, user);
    await chownTree(files, user);
    await allowTraversalTo(directory, [dirname(root), root, directory]);
  }
  // One that was pushed with the template belongs to something else.
  await rm(kept.statePath, { force: true, recursive: true });
  if (state !== undefined) await writeOwned({ user }, kept.statePath, state);
  const held = opening.move();
  return {
    files,
    home,
    statePath: kept.statePath,
    leasePath: kept.leasePath,
    outputPath: join(directory, "output.log"),
    user,
    recordProcess: (program) => recordProcess(kept, program, options.table),
    keepState: async (newer) => {
      await noteKept(kept, newer);
      try {
        await build?.keepState(newer);
        isNeeded = false;
      } catch (error) {
        isNeeded = true;
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
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
