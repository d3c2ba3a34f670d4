import { setFlagsFromString } from "node:v8";

/**
 * Lets V8's heap grow to four times what lives in it before all of it is collected, for the whole process. Each packet of
 * the network comes in a buffer of its own. They are garbage soon, and V8 finds them as such without that; but once a
 * process has been idle, it would collect everything for each few megabytes that came.
 */
export function growHeap(): void {
  // V8 reads it whenever it has collected.
  setFlagsFromString("--heap-growing-percent=300");
}
