import { closeSync, openSync, readSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";

import { parseProcStat, parseProcStatus, ticksPerSecond } from "@slipway/runtime";

import type { AgentMarks, ProcessTable, RunningProcess } from "./running-process.ts";
import { hashToken, markVariables } from "./running-process.ts";

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
  const stat = readHead(`${path}/stat`);
  const status = readHead(`${path}/status`);
  const found = parseProcess({ stat, status }, undefined, bootMs);
  if (found === undefined || parseProcStat(stat)?.hasMemory === false) return found;
  return { ...found, marks: parseMarks(await readOrEmpty(`${path}/environ`)) };
}

/** Holds a `stat`, and the part of a `status` up to the user. */
const page = Buffer.allocUnsafe(4096);

/**
 * Reads the first page of a file that the kernel answers immediately: reading through the thread pool takes ten times
 * the processor time. An environment is memory of the process, and may have to be fetched from disk.
 */
function readHead(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      return page.toString("latin1", 0, readSync(file, page));
    } finally {
      closeSync(file);
    }
  } catch {
    // Ended meanwhile.
    return "";
  }
}

/** Combines the files of one process; undefined for a zombie, and for one that has ended meanwhile. */
export function parseProcess(
  { stat, status }: { readonly stat: string; readonly status: string },
  marks: AgentMarks | undefined,
  bootMs: number,
): RunningProcess | undefined {
  const pid = Number.parseInt(stat, 10);
  const fields = parseProcStat(stat);
  // The real user is the first number.
  const uid = parseProcStatus(status, "Uid");
  if (Number.isNaN(pid) || fields === undefined || fields.isZombie || uid === undefined) {
    return undefined;
  }
  const { parentPid, groupId, start } = fields;
  const startedAtMs = bootMs + (Number(start) * 1000) / ticksPerSecond;
  return { pid, parentPid, groupId, start, startedAtMs, uid, marks };
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
