import type { Clock } from "./clock.ts";
import { sleep } from "./sleep.ts";

/** The machine's own clock by what every browser has. */
export const webClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
};
