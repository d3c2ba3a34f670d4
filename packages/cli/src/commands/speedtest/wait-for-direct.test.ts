import type { Pong } from "@slipway/sdk/workspace";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { waitForDirect } from "./wait-for-direct.ts";

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
