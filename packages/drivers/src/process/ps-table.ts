import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { ProcessTable, RunningProcess } from "./running-process.ts";

const columns = "pid=,ppid=,pgid=,ruid=,stat=,lstart=";
const maxOutputBytes = 16 * 1024 * 1024;

/**
 * The process table of other systems, read from `ps`, which shows no environment. Agents are identified by their record
 * alone.
 */
export const psTable: ProcessTable = {
  list: async () => parseProcesses(await ps(["-ax", "-o", columns])),
  find: async (pid) => parseProcesses(await ps(["-o", columns, "-p", String(pid)]))[0],
};

/** Parses lines such as `4711 1 4711 501 Ss Wed Nov 25 01:40:14 2026`. Omits zombies. */
export function parseProcesses(output: string): RunningProcess[] {
  return output.split("\n").flatMap((line) => {
    const [pid, parentPid, groupId, uid, state, ...start] = line.trim().split(/\s+/);
    if (state === undefined || state.startsWith("Z")) return [];
    return [
      {
        pid: Number(pid),
        parentPid: Number(parentPid),
        groupId: Number(groupId),
        uid: Number(uid),
        start: start.join(" "),
        startedAtMs: Date.parse(start.join(" ")),
        marks: undefined,
      },
    ];
  });
}

async function ps(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", args, {
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
      maxBuffer: maxOutputBytes,
    });
    return stdout;
  } catch (error) {
    // `ps -p` fails silently for a process that has ended.
    if (error instanceof Error && "code" in error && error.code === 1) return "";
    throw error;
  }
}
