import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { appendFile, open, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Clock, numberOf, parseObject, systemErrorCode, textOf } from "@slipway/runtime";

import type { DriverBuild } from "../driver-build.ts";
import type { DriverLog } from "../driver.ts";
import type { ProcessTable } from "../process/running-process.ts";
import { endGroup, killGroup } from "./process-group.ts";
import { holdForRun, RunLease } from "./run-lease.ts";
import { managedAddresses, newerState } from "./state-file.ts";
import type { RunLimits } from "./terraform-options.ts";

/** The files of a run's directory that outlive a server which is killed. */
export interface RunFiles {
  readonly statePath: string;
  readonly leasePath: string;
  readonly recordPath: string;
  readonly keptPath: string;
}

export function runFiles(directory: string): RunFiles {
  return {
    statePath: join(directory, "files", "terraform.tfstate"),
    leasePath: join(directory, "lease"),
    recordPath: join(directory, "process.json"),
    keptPath: join(directory, "kept-states"),
  };
}

export type LeftoverBuild = Pick<DriverBuild, "hold" | "keepState" | "readState">;

export interface LeftoverOptions {
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly limits: RunLimits;
}

const pollMs = 500;
const maxListed = 20;

/** Notes that a state is, or is about to be, the one that the server keeps of a workspace. */
export function noteKept(
  { keptPath }: Pick<RunFiles, "keptPath">,
  state: Uint8Array | undefined,
): Promise<void> {
  return appendFile(keptPath, `${hashOf(state)}\n`, { mode: 0o600 });
}

/** Records a running program, for a server that starts after this one was killed. */
export async function recordProcess(
  { recordPath }: Pick<RunFiles, "recordPath">,
  { pid, isGuarded }: { readonly pid: number; readonly isGuarded: boolean },
  table: ProcessTable,
): Promise<void> {
  const start = (await table.find(pid))?.start ?? "";
  await writeFile(recordPath, JSON.stringify({ pid, start, isGuarded }), { mode: 0o600 });
}

/**
 * Waits for a program that an earlier server started for the same workspace, which may still change the infrastructure, and
 * has its state kept. When the signal is aborted, the program is interrupted. Resolves to the newest state of the workspace.
 */
export async function settleLeftover(
  files: RunFiles,
  build: LeftoverBuild,
  options: LeftoverOptions,
  log: DriverLog,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const leftover = await findLeftover(files, options.table);
  if (leftover?.isGuarded === true) {
    await using hold = await holdForRun(build, options.limits);
    await using lease = await RunLease.open(files.leasePath, hold, options);
    await outwait(leftover, lease, options, log, signal);
  } else if (leftover !== undefined && !signal.aborted)
    await awaitEnd(leftover, options, log, signal);
  const state = await build.readState();
  const left = await readIfThere(files.statePath);
  const newest = newerState(state, left);
  if (left === undefined || newest !== left) return state;
  const kept = (await readIfThere(files.keptPath))?.toString().split("\n") ?? [];
  if (!kept.includes(hashOf(state))) {
    warnOfForgotten(left, state, log);
    return state;
  }
  await noteKept(files, left);
  await build.keepState(left);
  return left;
}

interface Leftover {
  readonly pid: number;
  readonly isGuarded: boolean;
  readonly isRunning: () => Promise<boolean>;
}

async function findLeftover(
  { recordPath }: RunFiles,
  table: ProcessTable,
): Promise<Leftover | undefined> {
  const text = await readIfThere(recordPath);
  const record = text && parseObject(text.toString());
  if (record === undefined) return undefined;
  const pid = numberOf(record["pid"]);
  const isRunning = async (): Promise<boolean> => {
    const found = await table.find(pid);
    return found !== undefined && found.start === textOf(record["start"]);
  };
  if (pid === 0 || !(await isRunning())) return undefined;
  return { pid, isGuarded: record["isGuarded"] === true, isRunning };
}

async function awaitEnd(
  { pid, isRunning }: Leftover,
  { clock }: LeftoverOptions,
  log: DriverLog,
  signal: AbortSignal,
): Promise<void> {
  log.write("info", "Setting up", `waiting for process ${pid}, which an earlier server started`);
  while (await isRunning()) await clock.sleep(pollMs, signal);
}

/** Waits for a program whose lease is ours now. Rejects with the signal's reason, once it has ended. */
async function outwait(
  leftover: Leftover,
  lease: RunLease,
  options: LeftoverOptions,
  log: DriverLog,
  signal: AbortSignal,
): Promise<void> {
  try {
    await awaitEnd(leftover, options, log, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    await lease.interrupt();
    const { clock, limits } = options;
    const untilMs = clock.monotonic() + limits.graceMs;
    while (await leftover.isRunning()) {
      if (clock.monotonic() > untilMs) killGroup(leftover.pid);
      await clock.sleep(pollMs, unaborted);
    }
    await endGroup(leftover.pid, options);
  }
}

const { signal: unaborted } = new AbortController();

function warnOfForgotten(left: Uint8Array, kept: Uint8Array | undefined, log: DriverLog): void {
  const known = new Set(managedAddresses(kept));
  const forgotten = managedAddresses(left).filter((address) => !known.has(address));
  if (forgotten.length === 0) return;
  log.write(
    "warn",
    "Setting up",
    `an interrupted run on this server left resources that the state does not name: ${forgotten.slice(0, maxListed).join(", ")}. Remove them by hand.`,
  );
}

export function hashOf(state: Uint8Array | undefined): string {
  return state === undefined ? "none" : createHash("sha256").update(state).digest("hex");
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
