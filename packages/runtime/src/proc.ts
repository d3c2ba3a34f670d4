/** The fields of `/proc/<pid>/stat` in use (proc_pid_stat(5)). */
export interface ProcStat {
  /** True for a process that has ended but whose parent has not yet waited for it. */
  readonly isZombie: boolean;
  /** False for a kernel thread and for a process that is ending; neither has an environment. */
  readonly hasMemory: boolean;
  readonly parentPid: number;
  readonly groupId: number;
  /** The processor time, in ticks. */
  readonly usedTicks: number;
  /** The start, in ticks since the boot; with the pid it identifies a process. */
  readonly start: string;
}

/** The tick rate is `USER_HZ`, 100 on every architecture that Node.js supports. */
export const ticksPerSecond = 100;

/**
 * Parses `/proc/<pid>/stat`: pid, (name), state, parent, group, …. The name may contain anything, including
 * parentheses. Returns undefined if fields are missing, for example because the process has ended meanwhile.
 */
export function parseProcStat(text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", parentPid, groupId] = fields;
  const start = fields[19];
  if (start === undefined) return undefined;
  return {
    isZombie: state === "Z" || state === "X",
    hasMemory: fields[20] !== "0",
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    usedTicks: Number(fields[11]) + Number(fields[12]),
    start,
  };
}

/**
 * Finds a number in `/proc/<pid>/status` (proc_pid_status(5)), such as `Uid` or `VmRSS`; undefined if it is missing.
 */
export function parseProcStatus(text: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
