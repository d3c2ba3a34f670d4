import { expect, it } from "vitest";

import { TimedLink } from "./timed-link.ts";

const packets = Array.from({ length: 50 }, (_, at) => Uint8Array.of(at));

it("delivers packets in order, none before its time", async () => {
  const arrived: number[] = [];
  const all = Promise.withResolvers<void>();
  const link = new TimedLink({ rttMs: 30, lossRate: 0 }, 1, (packet) => {
    arrived.push(...packet);
    if (arrived.length === packets.length) all.resolve();
  });
  const startedAt = performance.now();
  for (const packet of packets) link.send(packet);
  await all.promise;
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(15);
  expect(arrived).toEqual(packets.flatMap((packet) => [...packet]));
});

it("delivers nothing of what was under way when its faults change, and everything after", async () => {
  const next = Promise.withResolvers<Uint8Array>();
  const link = new TimedLink({ rttMs: 4, lossRate: 0 }, 1, next.resolve);
  for (const packet of packets) link.send(packet);
  link.impair({ rttMs: 20, lossRate: 0 }, 1);
  link.send(Uint8Array.of(99));
  expect(await next.promise).toEqual(Uint8Array.of(99));
});

it("carries as many bytes in a millisecond as it says, and drops what does not fit in its queue", async () => {
  let count = 0;
  const done = Promise.withResolvers<void>();
  const impairment = { rttMs: 0, lossRate: 0, bytesPerMs: 100, queuePackets: 10 };
  const link = new TimedLink(impairment, 1, () => {
    count += 1;
    if (count === 10) done.resolve();
  });
  const startedAt = performance.now();
  for (let sent = 0; sent < 20; sent += 1) link.send(new Uint8Array(200));
  await done.promise;
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(20);
});
