import { once } from "node:events";
import { Worker } from "node:worker_threads";

import type { Subject } from "@slipway/simulation";

import type { WorkerMessage, WorkerOrder } from "./worker.ts";

export interface Search {
  readonly seeds: number;
  readonly steps: number;
  readonly seconds: number;
  /** The violation with the lowest seed. */
  readonly found: { readonly seed: number; readonly text: string } | undefined;
}

interface SearchOptions {
  readonly from: number;
  readonly seeds: number;
  readonly threads: number;
  readonly onProgress: (seeds: number) => void;
}

/** The maximum number of worlds that a thread gets at a time. */
const maxPortion = 50;

/** Searches the worlds of many seeds with several threads, up to the first violation. */
export async function search(subject: Subject, options: SearchOptions): Promise<Search> {
  const { from, seeds: wanted, threads, onProgress } = options;
  const startedMs = performance.now();
  const ended = new SharedArrayBuffer(4);
  const isEnded = (): boolean => Atomics.load(new Int32Array(ended), 0) !== 0;
  let [next, seeds, steps] = [from, 0, 0];
  let found: Search["found"];
  const take = (message: WorkerMessage): void => {
    if (message.kind === "world") {
      seeds += 1;
      steps += message.steps;
      onProgress(seeds);
    } else {
      Atomics.store(new Int32Array(ended), 0, 1);
      if (found === undefined || message.seed < found.seed) found = message;
    }
  };
  const work = async (): Promise<void> => {
    while (next < from + wanted && !isEnded()) {
      const count = Math.min(maxPortion, from + wanted - next);
      const order = { subject, from: next, count, ended };
      next += count;
      await runWorker(order, take);
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return { seeds, steps, seconds: (performance.now() - startedMs) / 1000, found };
}

async function runWorker(
  order: WorkerOrder,
  take: (message: WorkerMessage) => void,
): Promise<void> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: order });
  worker.on("message", take);
  await once(worker, "exit");
}
