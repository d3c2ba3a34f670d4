import { type Clock, systemErrorCode } from "@slipway/runtime";

import type { ProcessTable } from "../process/running-process.ts";

/** The time that the processes of a group have to end by themselves. */
const graceMs = 5_000;
const pollMs = 250;

export interface GroupOptions {
  readonly table: Pick<ProcessTable, "list">;
  readonly clock: Pick<Clock, "sleep" | "monotonic">;
}

/** Ends what is left of a process group: asks it to end, and kills it after a short time. */
export async function endGroup(groupId: number, { table, clock }: GroupOptions): Promise<void> {
  if (!send(groupId, "SIGTERM")) return;
  const untilMs = clock.monotonic() + graceMs;
  const isThere = async (): Promise<boolean> =>
    // Zombies can be signaled, and are not in the table.
    (await table.list()).some((one) => one.groupId === groupId);
  while (clock.monotonic() <= untilMs && (await isThere())) await clock.sleep(pollMs, unaborted);
  // The table misses processes that each start the next one and exit while it is read; no signal does.
  killGroup(groupId);
}

const { signal: unaborted } = new AbortController();

export function killGroup(groupId: number): void {
  send(groupId, "SIGKILL");
}

/** Signals a group; returns false if no process of it can be signaled. */
function send(groupId: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(-groupId, name);
  } catch (error) {
    if (!["ESRCH", "EPERM"].includes(systemErrorCode(error) ?? "")) throw error;
    return false;
  }
}
