import { readdirSync, readFileSync } from "node:fs";

import { type Clock, parseProcStat, type ProcStat } from "@slipway/runtime";

/** The interval at which to check whether the members of a group are gone, in milliseconds. */
const pollMs = 10;

/** The process groups that were started and may still have members, even without their leader. The owner ends them all. */
export class ProcessGroups {
  readonly #clock: Clock;
  readonly #running = new Set<number>();
  readonly #leftover = new Set<number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  started(pid: number): void {
    this.#running.add(pid);
  }

  /** Records the end of a leader. Processes that it left in the background remain tracked. */
  leaderEnded(pid: number): void {
    this.#running.delete(pid);
    if (hasGroup(pid)) this.#leftover.add(pid);
    // The system may reuse the number of an empty group.
    for (const group of this.#leftover) if (!hasGroup(group)) this.#leftover.delete(group);
  }

  /** Asks all groups to end with SIGHUP, and kills the rest after `graceMs`. */
  async endAll(graceMs: number, signal: AbortSignal): Promise<void> {
    const groups = this.#groups();
    for (const group of groups) signalGroup(group, "SIGHUP");
    const deadline = this.#clock.monotonic() + graceMs;
    while (livingGroups(groups).length > 0 && this.#clock.monotonic() < deadline) {
      await this.#clock.sleep(pollMs, signal);
    }
    this.killAll();
  }

  /** Kills every group immediately. */
  killAll(): void {
    for (const group of this.#groups()) signalGroup(group, "SIGKILL");
    this.#leftover.clear();
  }

  #groups(): number[] {
    return [...this.#running, ...this.#leftover].filter((group) => hasGroup(group));
  }
}

/**
 * Returns the groups that have a living member. A zombie does not count, for example a process that outlived its
 * parent where process 1 does not reap. Without `/proc` it does.
 */
export function livingGroups(groups: readonly number[]): readonly number[] {
  const present = groups.filter((group) => hasGroup(group));
  if (present.length === 0) return [];
  const living = groupsOfLiving();
  return living === undefined ? present : present.filter((group) => living.has(group));
}

function groupsOfLiving(): ReadonlySet<number> | undefined {
  let pids: readonly string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  const groups = new Set<number>();
  for (const pid of pids) {
    const stat = statOf(pid);
    if (stat?.isZombie === false) groups.add(stat.groupId);
  }
  return groups.size === 0 ? undefined : groups;
}

function statOf(pid: string): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    // The process has ended.
    return undefined;
  }
}

/** Sends a signal to all processes of the group that `pid` leads. Returns false if none is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    // ESRCH: all have ended. EPERM: the rest have become another user.
    return false;
  }
}

/** Reports whether the group has members, living or not. */
function hasGroup(pid: number): boolean {
  return signalGroup(pid, 0);
}

/** Sends a signal only to one process. Returns false if it has ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // ESRCH: it has ended. EPERM: it has become another user.
    return false;
  }
}
