import { parentPort, workerData } from "node:worker_threads";

import { openClient } from "../processes/log-in.ts";
import { work } from "./bystander.ts";

/*
 * The thread of the bystander. It is separate so that the attackers' computation in this process does not count as
 * the server's time. The parent terminates it.
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
