import type { Pong } from "@slipway/sdk/workspace";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { intervalRow, speedJson, waitForDirect } from "./speedtest.ts";

const relayed: Pong = { latencyMs: 1, path: { kind: "relay", regionId: 1, regionName: "here" } };
const direct: Pong = { latencyMs: 1, path: { kind: "direct", address: "192.0.2.1:41641" } };
const { signal } = new AbortController();

it("waits for a direct answer", async () => {
  const clock = createFakeClock();
  const pongs = [relayed, relayed, direct];
  const waiting = waitForDirect({ ping: async () => pongs.shift() ?? relayed }, "dev.main", {
    clock,
    signal,
  });
  await clock.advance(2_000);
  await waiting;
  expect(pongs).toEqual([]);
});

it("gives up after a minute, and says what to do", async () => {
  const clock = createFakeClock();
  const waiting = waitForDirect({ ping: async () => relayed }, "dev.main", { clock, signal });
  const failure = expect(waiting).rejects.toMatchObject({
    message: "--direct: no direct connection within 60 s",
    hint: expect.stringContaining("slipway ping dev.main -n 1"),
  });
  await clock.advance(60_000);
  await failure;
});

const interval = { startMs: 1_000, endMs: 3_000, bytes: 50_000_000 };

it("renders an interval", () => {
  expect(intervalRow(interval)).toEqual({
    interval: "1.00 - 3.00 s",
    transferred: "50.0 MB",
    throughput: "200.0 Mbit/s",
  });
  expect(intervalRow({ startMs: 0, endMs: 0, bytes: 0 }).throughput).toBe("0.0 Mbit/s");
});

it("prints the JSON of the stock command", () => {
  const json = { start_time_seconds: 1, end_time_seconds: 3, throughput_mbits: 200 };
  expect(speedJson(interval, [interval])).toEqual({ overall: json, intervals: [json] });
});
