import { Random } from "@slipway/testkit/random";

import { type Step, StepQueue } from "./step-queue.ts";

/** The start of simulated time: a Monday morning, so that schedules apply. */
const startMs = Date.UTC(2026, 0, 5, 8);

/**
 * Simulated time. Every event of a world is a step, at a time drawn from the seed; steps at equal times run in an
 * order drawn from the seed. After each step everything that it triggers runs until it waits for another step, so
 * that the code under test, which is unaware of this, runs the same way for the same seed.
 */
export class Scheduler {
  readonly random: Random;
  readonly #queue = new StepQueue();
  #nowMs = startMs;
  #steps = 0;
  readonly #over = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The milliseconds since the start. */
  get elapsedMs(): number {
    return this.#nowMs - startMs;
  }

  /** The number of steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Schedules a step; disposing of the result cancels it. */
  after(delayMs: number, run: () => void): Disposable {
    const step: Step = { atMs: this.#nowMs + delayMs, order: this.random.next(), run };
    this.#queue.put(step);
    return { [Symbol.dispose]: () => void (step.run = takenBack) };
  }

  /** A signal that aborts when the world is over, for code that something outside the world would keep in memory. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Ends the world: no step runs any more. */
  close(): void {
    this.#over.abort(new Error("the world is over"));
  }

  /** Ends the run: `run` rejects with the first error after the current step. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Advances by `ms`, one step after another, each followed by everything it triggers. */
  async run(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const step = this.#queue.next;
      if (step === undefined || step.atMs > endMs) break;
      this.#queue.take();
      if (step.run === takenBack) continue;
      this.#nowMs = step.atMs;
      this.#steps += 1;
      step.run();
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#failure !== undefined) throw this.#failure.error;
    }
    this.#nowMs = endMs;
  }
}

function takenBack(): void {
  // Its turn never comes.
}
