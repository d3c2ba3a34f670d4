import { readdirSync, readFileSync } from "node:fs";

import { type Clock, parseProcStat, type ProcStat } from "@slipway/runtime";

import { signalProcess } from "./process-groups.ts";

/** The variables that mark the commands of one owner's session, with their values (`baseVariables`). */
export type Marks = Readonly<Record<string, string>>;

interface FoundProcess extends ProcStat {
  readonly pid: number;
}

const pollMs = 20;
/** The time from SIGTERM to SIGKILL. */
const graceMs = 1_000;
/** The time after which processes that multiply faster than they are killed are given up. */
const maxMs = 5_000;

/**
 * Ends all processes whose environment has the marks, and their descendants, even if they have left their group and their
 * parent. Resolves to the pids of those that survive. Finds none without `/proc`, with a cleared environment, or of another
 * user.
 */
export async function endMarked(
  marks: Marks,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const wanted = Object.entries(marks).map(([name, value]) => `${name}=${value}`);
  const asked = new Set<string>();
  const beganMs = clock.monotonic();
  for (;;) {
    const left = findMarked(wanted);
    const elapsedMs = clock.monotonic() - beganMs;
    if (left.length === 0 || elapsedMs > maxMs) return left.map(({ pid }) => pid);
    for (const { pid, start } of left) {
      const key = `${pid} ${start}`;
      if (elapsedMs >= graceMs) signalProcess(pid, "SIGKILL");
      else if (!asked.has(key)) signalProcess(pid, "SIGTERM");
      asked.add(key);
    }
    await clock.sleep(pollMs, signal);
  }
}

/** Finds the marked processes and their descendants, except this process and its ancestors. */
function findMarked(wanted: readonly string[]): readonly FoundProcess[] {
  const processes = listProcesses();
  const spared = ancestors(processes, process.pid);
  const found = new Set<number>();
  for (const { pid } of processes.values()) {
    if (!spared.has(pid) && hasMarks(pid, wanted)) found.add(pid);
  }
  if (found.size === 0) return [];
  const children = Map.groupBy(processes.values(), ({ parentPid }) => parentPid);
  // The iteration includes processes added on the way.
  for (const parent of found) {
    for (const { pid } of children.get(parent) ?? []) if (!spared.has(pid)) found.add(pid);
  }
  return [...processes.values()].filter(({ pid }) => found.has(pid));
}

/** Lists the living processes by their pids; none without `/proc`. */
function listProcesses(): ReadonlyMap<number, FoundProcess> {
  const pids = readdirOrNothing("/proc").filter((name) => /^\d+$/.test(name));
  const processes = pids.flatMap((name) => {
    const stat = parseProcStat(readOrNothing(`/proc/${name}/stat`));
    return stat === undefined || stat.isZombie ? [] : [{ ...stat, pid: Number(name) }];
  });
  return new Map(processes.map((one) => [one.pid, one]));
}

function ancestors(
  processes: ReadonlyMap<number, FoundProcess>,
  youngest: number,
): ReadonlySet<number> {
  const found = new Set<number>([youngest]);
  let parent = processes.get(youngest)?.parentPid;
  while (parent !== undefined && !found.has(parent)) {
    found.add(parent);
    parent = processes.get(parent)?.parentPid;
  }
  return found;
}

function hasMarks(pid: number, wanted: readonly string[]): boolean {
  const environment = readOrNothing(`/proc/${pid}/environ`);
  if (!wanted.every((variable) => environment.includes(variable))) return false;
  const variables = new Set(environment.split("\0"));
  return wanted.every((variable) => variables.has(variable));
}

function readdirOrNothing(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    // Not Linux, or no `/proc` in this container.
    return [];
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended, or is another user's.
    return "";
  }
}
