import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { type Clock, parseProcStat, systemErrorCode, settlesWithin } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import { cleanEnvironment, serverArguments, type ServerPlace } from "./settings.ts";

/** The server's exit code and signal. Both are null for an adopted server: only a parent receives them. */
export interface PostgresExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The server's first process, started here or found running. */
export interface Postmaster {
  readonly pid: number;
  readonly exited: Promise<PostgresExit>;
}

export interface PostmasterStart extends ServerPlace {
  readonly postgres: string;
  readonly account: Account | undefined;
  readonly logFd: number;
}

/**
 * Starts the server in its own session, so that a terminal's Ctrl-C does not reach it before our own shutdown is
 * finished with it. The server is not ready yet. Rejects with the system's error if it cannot be started at all.
 */
export async function spawnPostmaster(start: PostmasterStart): Promise<Postmaster> {
  const child = spawn(start.postgres, serverArguments(start), {
    cwd: start.clusterDirectory,
    env: cleanEnvironment,
    detached: true,
    stdio: ["ignore", start.logFd, start.logFd],
    ...start.account,
  });
  const { promise: exited, resolve } = Promise.withResolvers<PostgresExit>();
  child.once("exit", (code, signal) => resolve({ code, signal }));
  const { promise: spawned, resolve: onSpawn, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("spawn", () => onSpawn(child.pid ?? 0));
  return { pid: await spawned, exited };
}

/** Adopts a running server. Polls it until it ends or `signal` is aborted. */
export function watchPostmaster(pid: number, clock: Clock, signal: AbortSignal): Postmaster {
  const { promise: exited, resolve } = Promise.withResolvers<PostgresExit>();
  const watch = async (): Promise<void> => {
    while (await isAlive(pid)) await clock.sleep(watchEveryMs, signal);
    resolve({ code: null, signal: null });
  };
  // It only rejects with the signal's reason, which is no longer relevant then.
  watch().catch(() => undefined);
  return { pid, exited };
}

/** Sends a signal; ignores a process that has ended meanwhile. */
function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

/**
 * Returns whether that process may be the server of that database, rather than one that got the id of a dead one.
 * Mistaking another process for the server costs a clear error; mistaking the server for another process would put
 * two servers on one database. If in doubt, because the command line is hidden, it returns true.
 */
export async function isPostmasterOf(pid: number, clusterDirectory: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  // Not its current directory: root in a container lacks CAP_SYS_PTRACE to see that.
  const command = process.platform === "linux" ? await procCommand(pid) : await psCommand(pid);
  return command === "" || (command.includes("postgres") && command.includes(clusterDirectory));
}

const watchEveryMs = 200;

/**
 * Returns whether a process is alive. A zombie counts as dead: in a container the init process may not reap orphans.
 */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
  if (process.platform !== "linux") return true;
  try {
    return parseProcStat(await readFile(`/proc/${pid}/stat`, "latin1"))?.isZombie !== true;
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
    // `ps` fails for a process that has ended; waiting for it to become ready will notice that too.
    return "";
  }
}

const fastShutdownMs = 10_000;
const immediateShutdownMs = 5_000;

/**
 * Stops the server: a fast shutdown, which ends sessions and writes a checkpoint; then an immediate one, from which the
 * next start recovers; then a kill, from which it recovers too. Resolves when the process is gone.
 */
export async function stopPostmaster(postmaster: Postmaster, clock: Clock): Promise<void> {
  signalProcess(postmaster.pid, "SIGINT");
  if (await settlesWithin(postmaster.exited, fastShutdownMs, clock)) return;
  await abandonPostmaster(postmaster, clock);
}

/** Stops a server that is no longer needed, without waiting for a checkpoint. */
export async function abandonPostmaster(postmaster: Postmaster, clock: Clock): Promise<void> {
  signalProcess(postmaster.pid, "SIGQUIT");
  if (await settlesWithin(postmaster.exited, immediateShutdownMs, clock)) return;
  signalProcess(postmaster.pid, "SIGKILL");
  await postmaster.exited;
}
