import type { Clock } from "@slipway/runtime";

import { Outbox } from "./outbox.ts";

/**
 * The states of an agent's life in the only order in which they may come (docs/protocol/agent.md §2.6):
 *
 *     starting ─► ready ─────────────────────────┐
 *        ├─► start-timeout ──────────────────────┼─► shutting-down ─► shutdown-timeout | shutdown-error | off
 *        └─► start-error ────────────────────────┘
 */
export const lifecycleStates = [
  "starting",
  "start-timeout",
  "start-error",
  "ready",
  "shutting-down",
  "shutdown-timeout",
  "shutdown-error",
  "off",
] as const;
export type LifecycleState = (typeof lifecycleStates)[number];

export interface LifecycleChange {
  readonly state: LifecycleState;
  /** Milliseconds since 1970. */
  readonly changedAtMs: number;
}

/** The agent's lifecycle state; each change goes to the server once and in order, over all connections. */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #outbox: Outbox<LifecycleChange>;
  #state: LifecycleState | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#outbox = new Outbox(lifecycleStates.length, clock);
  }

  /** Enters a state. Ignores an earlier one, such as the end of a start that was interrupted. */
  enter(state: LifecycleState): void {
    if (this.#state !== undefined && rank(state) <= rank(this.#state)) return;
    // Start and shutdown have one final state each: after a failed start, only the shutdown follows.
    const hasStartEnded = this.#state === "start-timeout" || this.#state === "start-error";
    if (hasStartEnded && rank(state) <= rank("ready")) return;
    this.#state = state;
    this.#outbox.put({ state, changedAtMs: this.#clock.now() });
  }

  /** Reports the result of the start again, for an agent that this process continues without a new start. */
  repeat(): void {
    if (this.#state === undefined || rank(this.#state) >= rank("shutting-down")) return;
    this.forget();
    const changedAtMs = this.#clock.now();
    this.#outbox.put({ state: "starting", changedAtMs });
    if (this.#state !== "starting") this.#outbox.put({ state: this.#state, changedAtMs });
  }

  /** Drops the waiting reports, which concern the previous identity of this process. */
  forget(): void {
    this.#outbox.clear();
  }

  /** Reports over one connection until the signal is aborted; rejects with the error of `report`. */
  async run(
    report: (change: LifecycleChange, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#outbox.run(report, signal);
  }

  /** Resolves once everything is reported, or the signal is aborted. */
  async reported(signal: AbortSignal): Promise<void> {
    await this.#outbox.drained(signal);
  }
}

function rank(state: LifecycleState): number {
  return lifecycleStates.indexOf(state);
}
