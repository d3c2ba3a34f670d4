import { parentPort, workerData } from "node:worker_threads";

import { explore, type Subject } from "@slipway/simulation";

/** The work of one thread; it reports each world with its steps, and finally its finding. */
export interface WorkerOrder {
  readonly subject: Subject;
  readonly from: number;
  readonly count: number;
  /** A buffer of one number, shared by all threads; a nonzero value stops the search. */
  readonly ended: SharedArrayBuffer;
}

export type WorkerMessage =
  | { readonly kind: "world"; readonly steps: number }
  | { readonly kind: "found"; readonly seed: number; readonly text: string };

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `simulate.ts` gives it
const { subject, from, count, ended } = workerData as WorkerOrder;
const end = new Int32Array(ended);

function tell(message: WorkerMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}

const { found } = await explore(subject, {
  from,
  count,
  isOver: () => Atomics.load(end, 0) !== 0,
  onWorld: (steps) => tell({ kind: "world", steps }),
});
if (found !== undefined) tell({ kind: "found", ...found });
