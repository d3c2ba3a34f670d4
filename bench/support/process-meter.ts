import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

import { readOwnMb, readRunning } from "./process-cost.ts";

/** The processes of a part of the deployment; the children of each that are in no other group belong to it too. */
export interface MeteredGroup {
  readonly name: string;
  readonly pids: () => readonly number[];
}

interface Sample {
  readonly atMs: number;
  /** The processor time since the sample before, by group, in seconds. */
  readonly used: ReadonlyMap<string, number>;
  /** The time in which the machine's processors had nothing to do, in seconds. */
  readonly idle: number;
}

const everyMs = 1_000;
/** The name of the cores in which no process of the machine ran. */
const idle = "left idle";

/**
 * Measures the processor time of groups of processes once a second, also of those that end meanwhile, and their memory.
 * Linux only.
 */
export class ProcessMeter implements AsyncDisposable {
  readonly #groups: readonly MeteredGroup[];
  readonly #samples: Sample[] = [];
  readonly #peakMb = new Map<string, number>();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #usedBefore = new Map<number, number>();

  constructor(groups: readonly MeteredGroup[]) {
    this.#groups = groups;
    this.#running = this.#run();
  }

  /** Returns the cores that each group, and nothing, occupied in a period. */
  cores(fromMs: number, untilMs: number): ReadonlyMap<string, number> {
    const samples = this.#samples.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    const seconds = (samples.length * everyMs) / 1_000;
    const share = (read: (sample: Sample) => number): number =>
      samples.reduce((sum, sample) => sum + read(sample), 0) / seconds;
    return new Map([
      ...this.#groups.map(({ name }) => [name, share(({ used }) => used.get(name) ?? 0)] as const),
      [idle, share((sample) => sample.idle)],
    ]);
  }

  /** Returns the peak of the unshared memory of one process, by group, in MB. */
  get peakMb(): ReadonlyMap<string, number> {
    return this.#peakMb;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let idleBefore = idleSeconds();
    this.#measure();
    while (!this.#ending.signal.aborted) {
      await pause(everyMs);
      const used = this.#measure();
      const idleNow = idleSeconds();
      this.#samples.push({ atMs: performance.now(), used, idle: idleNow - idleBefore });
      idleBefore = idleNow;
    }
  }

  #measure(): ReadonlyMap<string, number> {
    const roots = new Map(
      this.#groups.flatMap(({ name, pids }) => pids().map((pid) => [pid, name] as const)),
    );
    const usedNow = new Map<number, number>();
    const sums = new Map<string, number>();
    for (const { pid, parentPid, usedSeconds } of readRunning()) {
      const name = roots.get(pid) ?? roots.get(parentPid);
      if (name === undefined) continue;
      usedNow.set(pid, usedSeconds);
      const used = usedSeconds - (this.#usedBefore.get(pid) ?? 0);
      sums.set(name, (sums.get(name) ?? 0) + used);
      this.#peakMb.set(name, Math.max(this.#peakMb.get(name) ?? 0, readOwnMb(pid)));
    }
    this.#usedBefore = usedNow;
    return sums;
  }
}

function idleSeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0) / 1_000;
}
