import { expect, it } from "vitest";

import { Timestamps } from "./timestamps.ts";

const day = 24 * 60 * 60 * 1000;

function started(timestamp: number): Timestamps {
  const timestamps = new Timestamps(0xffff_fff0);
  timestamps.start(timestamp, 0);
  return timestamps;
}

it("counts milliseconds from its offset, across the wrap", () => {
  const timestamps = started(0);
  expect(timestamps.value(15.9)).toBe(0xffff_ffff);
  expect(timestamps.value(16)).toBe(0);
});

it("measures the time since a timestamp of its own", () => {
  const timestamps = started(0);
  expect(timestamps.since(timestamps.value(10), 35.5)).toBe(25);
  expect(timestamps.since(timestamps.value(40), 35)).toBeUndefined();
  expect(new Timestamps(0).since(0, 5)).toBeUndefined();
});

it("tells old timestamps of the peer from new ones, across the wrap", () => {
  const timestamps = started(0xffff_fffe);
  expect(timestamps.isOld(0xffff_fffd, 1)).toBe(true);
  expect(timestamps.isOld(0xffff_fffe, 1)).toBe(false);
  expect(timestamps.isOld(3, 1)).toBe(false);
  timestamps.received(3, 1);
  expect(timestamps.recent).toBe(3);
  expect(timestamps.isOld(0xffff_fffe, 2)).toBe(true);
  timestamps.received(2, 2);
  expect(timestamps.recent).toBe(3);
});

it("takes any timestamp after 24 days without one, as the peer's may have wrapped", () => {
  const timestamps = started(1000);
  expect(timestamps.isOld(5, 25 * day)).toBe(false);
  timestamps.received(5, 25 * day);
  expect(timestamps.recent).toBe(5);
});

it("takes no timestamp for old before both ends have agreed on them", () => {
  expect(new Timestamps(0).isOld(0xffff_ffff, 0)).toBe(false);
});
