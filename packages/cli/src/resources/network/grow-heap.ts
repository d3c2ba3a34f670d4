import { setFlagsFromString } from "node:v8";

/** The time after which a process counts as one that goes on. */
const shortMs = 5_000;

/**
 * Lets the heap of a process that goes on grow. Not earlier: V8 takes the compiled form of Node.js's own modules only with
 * the flags that it was made with, and a short command that compiles them anew takes a third longer.
 */
export function growHeapLater(): void {
  setTimeout(growHeap, shortMs).unref();
}

/**
 * Lets V8's heap grow to four times what lives in it before all of it is collected, for the whole process. Each packet of
 * the network comes in a buffer of its own. They are garbage soon, and V8 finds them as such without that; but once a
 * process has been idle, it would collect everything for each few megabytes that came.
 */
export function growHeap(): void {
  // V8 reads it whenever it has collected.
  setFlagsFromString("--heap-growing-percent=300");
}
