import { readFile, readdir } from "node:fs/promises";

import type { AgentMarks, ProcessTable, RunningProcess } from "./running-process.ts";
import { hashToken, markVariables } from "./running-process.ts";

/** `USER_HZ`, which is 100 on every architecture that Node.js runs on. */
const ticksPerSecond = 100;
const atOnce = 64;

/** Returns the process table of Linux, read from `/proc`. */
export function procTable(directory = "/proc"): ProcessTable {
  return {
    async list() {
      const bootMs = await bootTime(directory);
      const pids = (await readdir(directory)).filter((name) => /^\d+$/.test(name));
      const found: RunningProcess[] = [];
      for (let from = 0; from < pids.length; from += atOnce) {
        const some = pids.slice(from, from + atOnce);
        const read = await Promise.all(
          some.map(async (pid) => readProcess(`${directory}/${pid}`, bootMs)),
        );
        found.push(...read.filter((entry) => entry !== undefined));
      }
      return found;
    },
    find: async (pid) => readProcess(`${directory}/${pid}`, await bootTime(directory)),
  };
}

async function readProcess(path: string, bootMs: number): Promise<RunningProcess | undefined> {
  const [stat, status, environment] = await Promise.all([
    readOrEmpty(`${path}/stat`),
    readOrEmpty(`${path}/status`),
    readOrEmpty(`${path}/environ`),
  ]);
  return parseProcess({ stat, status }, parseMarks(environment), bootMs);
}

/**
 * Parses a line of `/proc/<pid>/stat` (proc_pid_stat(5)): pid, (name), state, parent, group, …; the 22nd field is the
 * start, in ticks since the boot. The name may contain anything, including parentheses. Returns undefined for a zombie.
 */
export function parseProcess(
  { stat, status }: { readonly stat: string; readonly status: string },
  marks: AgentMarks | undefined,
  bootMs: number,
): RunningProcess | undefined {
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid, groupId] = fields;
  const start = fields[19];
  // `Uid:` and the real, effective, saved and file system user (proc_pid_status(5)).
  const uid = /^Uid:\t(\d+)/m.exec(status)?.[1];
  if (Number.isNaN(pid) || start === undefined || uid === undefined) return undefined;
  if (state === "Z" || state === "X") return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    start,
    startedAtMs: bootMs + (Number(start) * 1000) / ticksPerSecond,
    uid: Number(uid),
    marks,
  };
}

/** Finds our marks in an environment (`name=value`, each ended by a zero byte). */
export function parseMarks(environment: string): AgentMarks | undefined {
  // Most processes are not ours: searching the text is cheaper than splitting it.
  if (!environment.includes(`${markVariables.agentId}=`)) return undefined;
  const variables = environment.split("\0");
  const valueOf = (name: string): string | undefined =>
    variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  const agentId = valueOf(markVariables.agentId);
  const directory = valueOf(markVariables.directory);
  if (agentId === undefined || directory === undefined) return undefined;
  return { agentId, directory, tokenHash: hashToken(valueOf(markVariables.token) ?? "") };
}

async function bootTime(directory: string): Promise<number> {
  const seconds = /^btime (\d+)$/m.exec(await readFile(`${directory}/stat`, "latin1"))?.[1];
  return Number(seconds ?? 0) * 1000;
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Ended meanwhile, or owned by another user and therefore not ours.
    return "";
  }
}
