import { parentPort, workerData } from "node:worker_threads";

import { fuzz } from "./fuzz-loop.ts";
import { InputBoard, type WorkerOrder, type WorkerReport } from "./protocol.ts";
import { findTarget } from "./targets.ts";

/* Fuzzes one target in a separate thread, which its starter can stop. */

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- supervise.ts gives it
const order = workerData as WorkerOrder;
const board = new InputBoard(order.board);
const end = performance.now() + order.seconds * 1000;
const report: WorkerReport = await fuzz(findTarget(order.target), {
  seed: order.seed,
  earlier: order.earlier,
  goesOn: () => performance.now() < end,
  onInput: (input) => board.show(input),
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(report);
