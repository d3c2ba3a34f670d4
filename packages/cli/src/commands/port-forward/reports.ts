import type { Clock } from "@slipway/runtime";

/** The time in which the same text is reported once, in milliseconds. */
const repeatMs = 1_000;

/** Returns a reporter that does not repeat itself more than once a second, however many connections fail. */
export function calmReporter(
  say: (text: string) => void,
  clock: Pick<Clock, "monotonic">,
): (text: string) => void {
  let last = { text: "", atMs: 0 };
  return (text) => {
    const atMs = clock.monotonic();
    if (text === last.text && atMs - last.atMs < repeatMs) return;
    last = { text, atMs };
    say(text);
  };
}
