import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import type { Clock } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import { systemErrorCode } from "./errors.ts";
import { cleanEnvironment, serverArguments } from "./settings.ts";

/** How the server ended. Both are null for one that was adopted: only a parent is told. */
export interface PostgresExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The server's first process, started here or found running. */
export interface Postmaster {
  readonly pid: number;
  readonly exited: Promise<PostgresExit>;
}

export interface PostmasterStart {
  readonly postgres: string;
  readonly clusterDirectory: string;
  readonly socketDirectory: string;
  readonly account: Account | undefined;
  readonly logFd: number;
}

/**
 * Starts the server in a session of its own, so that a terminal's Ctrl-C does not reach it before our own shutdown is
 * through with it. It is not ready yet. Rejects with the system's error when it cannot be started at all.
 */
export async function spawnPostmaster(start: PostmasterStart): Promise<Postmaster> {
  const child = spawn(
    start.postgres,
    serverArguments(start.clusterDirectory, start.socketDirectory),
    {
      cwd: start.clusterDirectory,
      env: cleanEnvironment,
      detached: true,
      stdio: ["ignore", start.logFd, start.logFd],
      ...start.account,
    },
  );
  const { promise: exited, resolve } = Promise.withResolvers<PostgresExit>();
  child.once("exit", (code, signal) => resolve({ code, signal }));
  const { promise: spawned, resolve: onSpawn, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("spawn", () => onSpawn(child.pid ?? 0));
  return { pid: await spawned, exited };
}

/** Takes over a server that runs already. It is looked at until it ends or `signal` is aborted. */
export function watchPostmaster(pid: number, clock: Clock, signal: AbortSignal): Postmaster {
  const { promise: exited, resolve } = Promise.withResolvers<PostgresExit>();
  const watch = async (): Promise<void> => {
    while (await isAlive(pid)) await clock.sleep(watchEveryMs, signal);
    resolve({ code: null, signal: null });
  };
  // It rejects with the signal's reason alone: then nobody wants to know.
  watch().catch(() => undefined);
  return { pid, exited };
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

/**
 * Whether that process may be the server of that database, and is not one that got the number of a dead one. To take a
 * stranger for it costs a clear error; to take it for a stranger would put two servers on one database. Hence in doubt,
 * where the command line is hidden, it is.
 */
export async function isPostmasterOf(pid: number, clusterDirectory: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  // Not its current directory: to see that, root in a container lacks CAP_SYS_PTRACE.
  const command = process.platform === "linux" ? await procCommand(pid) : await psCommand(pid);
  return command === "" || (command.includes("postgres") && command.includes(clusterDirectory));
}

const watchEveryMs = 200;

/** A zombie counts as dead: in a container the first process may not collect its orphans. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
  if (process.platform !== "linux") return true;
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(systemErrorCode(error) ?? "")) return false;
    throw error;
  }
}

async function procCommand(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(systemErrorCode(error) ?? "")) return "";
    throw error;
  }
}

async function psCommand(pid: number): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", [
      "-ww",
      "-o",
      "command=",
      "-p",
      String(pid),
    ]);
    return stdout.trim();
  } catch {
    // `ps` fails for a process that has ended; the wait for it to be ready will see that too.
    return "";
  }
}
