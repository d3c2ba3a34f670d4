import type { Clock } from "@slipway/runtime";

import { livingGroups } from "./living-groups.ts";
import { hasGroup, signalGroup } from "./signal-group.ts";

/** The interval at which to check whether the members of a group are gone, in milliseconds. */
const pollMs = 10;

/**
 * The process groups that were started and may still have members, also after their leader has ended. Its owner ends
 * them all at last.
 */
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

  /** Notes the end of the leader; the processes that it left in the background are still tracked. */
  leaderEnded(pid: number): void {
    this.#running.delete(pid);
    if (hasGroup(pid)) this.#leftover.add(pid);
    // A number may be reused once its group is empty.
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

  /** Kills every group at once. */
  killAll(): void {
    for (const group of this.#groups()) signalGroup(group, "SIGKILL");
    this.#leftover.clear();
  }

  #groups(): number[] {
    return [...this.#running, ...this.#leftover].filter((group) => hasGroup(group));
  }
}
