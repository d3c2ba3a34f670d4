import { setFlagsFromString } from "node:v8";

/** The age at which a process counts as long-running. */
const shortMs = 5_000;

/**
 * Lets the heap of a long-running process grow. Not earlier: V8 accepts the compiled form of Node.js's own modules
 * only with the flags used to compile them, and a short command that recompiles them takes a third longer.
 */
export function growHeapLater(): void {
  setTimeout(growHeap, shortMs).unref();
}

/**
 * Lets V8's heap grow to four times its live size before a full collection, for the whole process. Each packet of the network
 * arrives in its own buffer, which is soon garbage. V8 copes with that by default, but after a process has been idle it would
 * run a full collection for every few megabytes received.
 */
export function growHeap(): void {
  // V8 reads it after each collection.
  setFlagsFromString("--heap-growing-percent=300");
}
