import { Worker } from "node:worker_threads";

import { InputBoard, type WorkerOrder, type WorkerReport } from "./protocol.ts";
import type { FuzzTarget } from "./target.ts";

/** The time after which an input counts as endless, regardless of other load; suspension does not count. */
const hangMs = 30_000;
/** The memory limit of the whole process; exceeding it is a finding. */
const maxRssBytes = 1024 * 1024 * 1024;
const maxHeapMb = 512;
const lookEveryMs = 200;
/** The exit code of Node.js when a module is still waiting and nothing can wake it. */
const unsettledCode = 13;

export interface SupervisedRun {
  readonly maxRssBytes: number;
  readonly seconds: number;
  /** The way it ended: by itself, or the reason it was stopped. */
  readonly outcome:
    | { readonly kind: "report"; readonly report: WorkerReport }
    | {
        readonly kind: "hang" | "memory" | "crash";
        readonly input: Uint8Array;
        readonly text: string;
      };
}

interface SuperviseOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly earlier: readonly Uint8Array[];
}

/** Fuzzes a target in a worker; stops it when an input does not end or uses up the memory. */
export async function supervise(
  target: FuzzTarget,
  options: SuperviseOptions,
): Promise<SupervisedRun> {
  const board = new InputBoard(target.maxBytes);
  const order: WorkerOrder = { ...options, target: target.name, board: board.memory };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  const started = performance.now();
  const outcome = Promise.withResolvers<SupervisedRun["outcome"]>();
  const fail = (kind: "hang" | "memory" | "crash", text: string): void =>
    outcome.resolve({ kind, input: board.input, text });
  worker.on("message", (report: WorkerReport) => outcome.resolve({ kind: "report", report }));
  worker.on("error", (error: Error & { readonly code?: string }) =>
    fail(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "memory" : "crash", String(error.stack)),
  );
  worker.on("exit", (code) =>
    code === unsettledCode
      ? fail("hang", "a promise never settled")
      : fail("crash", `worker exited with ${code}`),
  );
  let highest = 0;
  let seen = { count: board.count, looks: 0 };
  const timer = setInterval(() => {
    const rss = process.memoryUsage.rss();
    highest = Math.max(highest, rss);
    const { count } = board;
    seen = { count, looks: count === seen.count ? seen.looks + 1 : 0 };
    if (rss > maxRssBytes) fail("memory", `${rss} bytes in memory, wanted at most ${maxRssBytes}`);
    else if (seen.looks * lookEveryMs > hangMs) fail("hang", `not done after ${hangMs} ms`);
  }, lookEveryMs);
  try {
    return {
      outcome: await outcome.promise,
      maxRssBytes: highest,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
