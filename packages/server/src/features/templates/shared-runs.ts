import { abortable } from "@slipway/runtime";

interface OpenRun<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  askers: number;
}

/** Runs each task once for all who ask for it at the same time, until the last of them has gone away. */
export class SharedRuns<T> {
  readonly #runs = new Map<string, OpenRun<T>>();
  readonly #ending = new Set<Promise<unknown>>();

  /** Runs or joins the task of a key. Rejects with the signal's reason when it is aborted. */
  async run(
    key: string,
    signal: AbortSignal,
    task: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const run = this.#runs.get(key) ?? this.#begin(key, task);
    run.askers += 1;
    try {
      return await abortable(run.result, signal);
    } finally {
      run.askers -= 1;
      if (run.askers === 0) this.#end(key, run, new DOMException("nobody waits", "AbortError"));
    }
  }

  /** Aborts all runs with that reason, and waits for their ends. */
  async abortAll(reason: Error): Promise<void> {
    for (const [key, run] of this.#runs) this.#end(key, run, reason);
    await Promise.all(this.#ending);
  }

  #begin(key: string, task: (signal: AbortSignal) => Promise<T>): OpenRun<T> {
    const stop = new AbortController();
    const result = task(stop.signal);
    const ended = Promise.allSettled([result]);
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
    const run = { result, stop, askers: 0 };
    this.#runs.set(key, run);
    return run;
  }

  /** Ends a run that may be over already. Who asks from now on begins another one. */
  #end(key: string, run: OpenRun<T>, reason: Error): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
    run.stop.abort(reason);
  }
}
