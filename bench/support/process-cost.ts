import { readFileSync } from "node:fs";

/** The memory and processor time of a process. Linux only. */
export interface ProcessCost {
  readonly residentMb: number;
  /** The peak of its memory. */
  readonly peakMb: number;
  readonly cpuSeconds: number;
}

const ticksPerSecond = 100;

export function readProcessCost(pid: number): ProcessCost {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string): number =>
    Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return {
    residentMb: megabytes("VmRSS"),
    peakMb: megabytes("VmHWM"),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
  };
}
