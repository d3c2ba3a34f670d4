import { readdirSync, readFileSync } from "node:fs";

import { parseProcStat, type ProcStat } from "@slipway/runtime";

import { hasGroup } from "./signal-group.ts";

/**
 * Returns the groups that have a living member. A process that has ended and that nobody has waited for yet (a zombie,
 * such as a process that outlived its parent where process 1 does not reap) does not count. Without `/proc` it does.
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
    // It is gone by now.
    return undefined;
  }
}
