import { readFileSync } from "node:fs";

/** What a process holds and has used. Linux only. */
export interface ProcessCost {
  readonly residentMb: number;
  readonly cpuSeconds: number;
}

const ticksPerSecond = 100;

export function readProcessCost(pid: number): ProcessCost {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return {
    residentMb: Number(kilobytes) / 1024,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
  };
}
