import { expect, it } from "vitest";

import { TailLossProbe } from "./tail-loss-probe.ts";

it("comes two round trips later, and later still for a single segment, whose ACK may be delayed", () => {
  const probe = new TailLossProbe();
  probe.arm(50, 5, 1000);
  expect(probe.deadline).toBe(1102);
  probe.arm(50, 1, 1000);
  expect(probe.deadline).toBe(1300);
  probe.arm(undefined, 5, 1000);
  expect(probe.deadline).toBe(2000);
  probe.disarm();
  expect(probe.deadline).toBe(Number.POSITIVE_INFINITY);
});

it("sends one probe at a time", () => {
  const probe = new TailLossProbe();
  probe.sent(100, true);
  probe.arm(50, 5, 1000);
  expect(probe.deadline).toBe(Number.POSITIVE_INFINITY);
});

it("shows a repaired loss when more than the probe is acknowledged", () => {
  const probe = new TailLossProbe();
  probe.sent(100, true);
  expect(probe.acknowledged(99, false, false)).toBe(false);
  expect(probe.acknowledged(101, false, false)).toBe(true);
  expect(probe.acknowledged(102, false, false)).toBe(false);
});

it.each([
  ["new data was the probe", false, 101, false, false],
  ["the peer has received it twice", true, 101, true, false],
  ["a plain duplicate follows", true, 100, false, true],
])("shows none when %s", (_, isRepeat, una, wasReceivedTwice, isPlainDuplicate) => {
  const probe = new TailLossProbe();
  probe.sent(100, isRepeat);
  expect(probe.acknowledged(una, wasReceivedTwice, isPlainDuplicate)).toBe(false);
  expect(probe.acknowledged(105, false, false)).toBe(false);
});
