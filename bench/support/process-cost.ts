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
export function readTreeCpuSeconds(pid: number): number {
  const ticks = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const stat = readStat(name);
      return stat !== undefined && (Number(name) === pid || stat.parentPid === pid)
        ? stat.usedTicks
        : 0;
    });
  return ticks.reduce((sum, used) => sum + used, 0) / ticksPerSecond;
}

function readStat(pid: string): ReturnType<typeof parseProcStat> {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    // The process has exited.
    return undefined;
  }
}
