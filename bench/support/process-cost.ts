import { readFileSync } from "node:fs";

import { parseProcStat, parseProcStatus, ticksPerSecond } from "@slipway/runtime";

/** The memory and processor time of a process. Linux only. */
export interface ProcessCost {
  readonly residentMb: number;
  /** The peak of its memory. */
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
