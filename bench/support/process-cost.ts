import { readdirSync, readFileSync } from "node:fs";

import { parseProcStat, parseProcStatus, ticksPerSecond } from "@slipway/runtime";

/** The memory and processor time of a process. Linux only. */
export interface ProcessCost {
  readonly residentMb: number;
  /** The peak memory. */
  readonly peakMb: number;
  readonly cpuSeconds: number;
}

export function readProcessCost(pid: number): ProcessCost {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string): number =>
    (parseProcStatus(status, field) ?? Number.NaN) / 1024;
  const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  return {
    residentMb: megabytes("VmRSS"),
    peakMb: megabytes("VmHWM"),
    cpuSeconds: (stat?.usedTicks ?? Number.NaN) / ticksPerSecond,
  };
}

/** Returns the processor time of a process and its running children, in seconds. Linux only. */
export function readTreeCpuSeconds(root: number): number {
  return readRunning()
    .filter(({ pid, parentPid }) => pid === root || parentPid === root)
    .reduce((sum, { usedSeconds }) => sum + usedSeconds, 0);
}

interface RunningProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** Its processor time so far. */
  readonly usedSeconds: number;
}

/** Returns the running processes of the machine. Linux only. */
export function readRunning(): readonly RunningProcess[] {
  return readdirSync("/proc").flatMap((name) => {
    const stat = /^\d+$/.test(name) ? parseProcStat(readProc(`${name}/stat`)) : undefined;
    if (stat === undefined) return [];
    const { parentPid, usedTicks } = stat;
    return [{ pid: Number(name), parentPid, usedSeconds: usedTicks / ticksPerSecond }];
  });
}

/** Returns the memory that a process shares with no other, in MB; 0 once it has exited. Linux only. */
export function readOwnMb(pid: number): number {
  return (parseProcStatus(readProc(`${pid}/status`), "RssAnon") ?? 0) / 1024;
}

/** Reads a file of a process; an empty text once it has exited. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}
