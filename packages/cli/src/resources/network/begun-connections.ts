import { setImmediate } from "node:timers/promises";

/** The turns of the event loop in which this one ends, the connection is there, and what was waiting for it is written. */
const turns = 3;

/**
 * Waits until connections to this machine or one nearby, begun in this turn of the event loop, have sent what they begin
 * with. To load modules holds up the loop, which costs nothing while their answers are on the way.
 */
export async function begunConnections(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
}
