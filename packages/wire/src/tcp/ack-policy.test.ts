import { expect, it } from "vitest";

import { AckPolicy, delayedAckMs } from "./ack-policy.ts";

const segment = 1000;

/** A policy past the segments that are acknowledged one by one. */
function settled(): AckPolicy {
  const acks = new AckPolicy();
  for (let count = 0; count < 16; count += 1) acks.received(segment, segment, 0);
  acks.sent();
  return acks;
}

it("acknowledges the first segments one by one", () => {
  const acks = new AckPolicy();
  for (let count = 0; count < 16; count += 1) {
    acks.received(1, segment, 0);
    expect(acks.isDue).toBe(true);
    acks.sent();
  }
  acks.received(1, segment, 0);
  expect(acks.isDue).toBe(false);
});

it("waits for a second segment, however the bytes are cut, or 40 ms", () => {
  const acks = settled();
  acks.received(segment, segment, 100);
  expect([acks.isDue, acks.deadline]).toEqual([false, 100 + delayedAckMs]);
  acks.received(segment - 1, segment, 110);
  expect([acks.isDue, acks.deadline]).toEqual([false, 100 + delayedAckMs]);
  acks.received(1, segment, 120);
  expect(acks.isDue).toBe(true);
  acks.sent();
  acks.received(1, segment, 200);
  acks.tick(200 + delayedAckMs - 1);
  expect(acks.isDue).toBe(false);
  acks.tick(200 + delayedAckMs);
  expect(acks.isDue).toBe(true);
});

it("owes nothing once any segment was sent", () => {
  const acks = settled();
  acks.received(segment, segment, 0);
  acks.sent();
  expect([acks.isDue, acks.deadline]).toEqual([false, Number.POSITIVE_INFINITY]);
});
