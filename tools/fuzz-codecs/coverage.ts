import { type Profiler, Session } from "node:inspector";

/**
 * Reports the source characters that this thread has run, according to V8's block counters. A query costs about a
 * millisecond, so inputs are queried in batches.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  /** The reached characters of each script, marked with 1. */
  readonly #reached = new Map<string, Uint8Array>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** The number of characters that were reached and marked. */
  get reachedCharacters(): number {
    let count = 0;
    for (const script of this.#reached.values()) for (const one of script) count += one;
    return count;
  }

  /** Ignores the code that has run since the last call. */
  skip(): void {
    this.#take();
  }

  /** Reports whether unmarked code has run since the last call. */
  hasNew(): boolean {
    return this.#compare(() => undefined);
  }

  /** Reports the same and marks the code. */
  mark(): boolean {
    return this.#compare((reached, at) => {
      reached[at] = 1;
    });
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #compare(onNew: (reached: Uint8Array, at: number) => void): boolean {
    let isNew = false;
    for (const { url, functions } of this.#take()) {
      if (!isFuzzed(url)) continue;
      const run = paint(functions);
      let reached = this.#reached.get(url) ?? new Uint8Array(0);
      if (reached.length < run.length) {
        const longer = new Uint8Array(run.length);
        longer.set(reached);
        reached = longer;
        this.#reached.set(url, reached);
      }
      for (let at = run.indexOf(1); at !== -1; at = run.indexOf(1, at + 1)) {
        if (reached[at] === 1) continue;
        isNew = true;
        onNew(reached, at);
      }
    }
    return isNew;
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // In a session on its own thread the callback runs before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      taken = result;
    });
    return taken;
  }
}

/** Reports whether a script is our code, or code that it uses to read outside bytes, but not the fuzzer itself. */
function isFuzzed(url: string): boolean {
  return url.startsWith("file:") && !/\/(?:tools|testkit)\//.test(url);
}

/** Returns 1 for each character that has run. An inner range is more precise than its outer one, and comes later. */
function paint(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  let length = 0;
  for (const { ranges } of functions) {
    for (const { endOffset } of ranges) length = Math.max(length, endOffset);
  }
  const run = new Uint8Array(length);
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      run.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
  }
  return run;
}
