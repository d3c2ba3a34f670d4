import { abortable } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { medianLatency } from "./median-latency.ts";

const never = new AbortController().signal;
const clock = createFakeClock();
const ping = async (latencyMs: number): Promise<number> => latencyMs;
const silence = (_peer: unknown, signal: AbortSignal): Promise<number> =>
  abortable(Promise.withResolvers<number>().promise, signal);

it.each([
  [[], undefined],
  [[7], 7],
  [[9, 1], 5],
  [[30, 1, 2], 2],
  [[4, 3, 2, 1], 2.5],
])("returns the median of %j", async (peers, wanted) => {
  expect(await medianLatency(peers, { ping, clock, signal: never })).toBe(wanted);
});

it("leaves out the peers that do not answer within five seconds, and those that fail", async () => {
  const mixed = async (peer: number, signal: AbortSignal): Promise<number> => {
    if (peer < 0) throw new Error("nobody is there");
    return peer === 0 ? silence(peer, signal) : peer;
  };
  const measuring = medianLatency([0, -1, 3], { ping: mixed, clock, signal: never });
  await clock.advance(5_000);
  expect(await measuring).toBe(3);
});

it("is undefined where nobody answers, and ends by its signal", async () => {
  const measuring = medianLatency([1, 2], { ping: silence, clock, signal: never });
  await clock.advance(5_000);
  expect(await measuring).toBeUndefined();
  const stop = new AbortController();
  const stopped = medianLatency([1], { ping: silence, clock, signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(stopped).rejects.toThrow("enough");
});

it("asks a bounded number of peers", async () => {
  let asked = 0;
  const count = async (): Promise<number> => (asked += 1);
  await medianLatency(Array<number>(1_000).fill(1), { ping: count, clock, signal: never });
  expect(asked).toBe(64);
});
