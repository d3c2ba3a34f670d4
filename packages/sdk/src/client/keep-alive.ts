import { type Clock, Scope } from "@slipway/runtime";

import { isRetryable } from "../http/errors.ts";

export interface KeepAliveOptions {
  /** The time that the workspace lives on after the last renewal, in milliseconds: at least a minute. */
  readonly leaseMs: number;
  /** Called when a renewal fails; the next one comes a third of the lease later. */
  readonly onProblem?: (error: unknown) => void;
}

const minLeaseMs = 60_000;

/**
 * A lease that keeps a workspace with a time limit alive: it is renewed each third of its time until it is disposed of. Its
 * opener disposes of it.
 */
export class KeepAlive implements AsyncDisposable {
  readonly #scope = new Scope();

  /** `extend` moves the deadline to a time from now, never back; false if there is none. Throws `RangeError`. */
  constructor(
    extend: (ms: number, signal: AbortSignal) => Promise<boolean>,
    { leaseMs, onProblem, clock }: KeepAliveOptions & { readonly clock: Clock },
  ) {
    if (!(leaseMs >= minLeaseMs)) {
      throw new RangeError(`leaseMs is ${leaseMs}, wanted at least ${minLeaseMs}`);
    }
    this.#scope.run(async (signal) => {
      for (;;) {
        try {
          await extend(leaseMs, signal);
        } catch (error) {
          signal.throwIfAborted();
          if (!isRetryable(error)) throw error;
          onProblem?.(error);
        }
        await clock.sleep(leaseMs / 3, signal);
      }
    });
  }

  /** Rejects when the workspace can no longer be kept alive, such as after its deletion; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }
}
