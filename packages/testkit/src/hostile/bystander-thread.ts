import { parentPort, workerData } from "node:worker_threads";

import { openClient } from "../processes/log-in.ts";
import { work } from "./bystander.ts";

/*
 * A thread of its own for the bystander: the computation of the hostile ones in this process is not the server's time.
 * Ends with its parent, which terminates it.
 */

/** The data that the thread starts with. */
export interface BystanderData {
  readonly serverUrl: string;
  readonly token: string;
  readonly workspaceId: string;
}

/** The messages of the thread. */
export type BystanderMessage =
  | { readonly type: "took"; readonly ms: number }
  | { readonly type: "failed"; readonly text: string };

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set by the starter of the thread
const { serverUrl, token, workspaceId } = workerData as BystanderData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread, not a window
const tell = (message: BystanderMessage): void => parentPort?.postMessage(message);
const notes = {
  took: (ms: number) => tell({ type: "took", ms }),
  failed: (text: string) => tell({ type: "failed", text }),
};
await work(openClient(serverUrl, token), workspaceId, notes, new AbortController().signal);
