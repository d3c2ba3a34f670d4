import type { Clock, LogFields, Logger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";

import { DatabaseClock } from "./database-clock.ts";

const periodMs = 10_000;
const dayMs = 24 * 3600 * 1000;

let time: FakeClock;
let logged: (readonly [LogFields, string])[];
let opened: AsyncDisposableStack;
/** The offset of the machine's clock ahead of the database's. */
let aheadMs: number;
let databaseAheadMs: number;
/** The duration of a reading, whose time is taken at its start. */
let readingMs: number;
let isAway: boolean;

beforeEach(() => {
  time = createFakeClock();
  logged = [];
  opened = new AsyncDisposableStack();
  aheadMs = 0;
  databaseAheadMs = 0;
  readingMs = 0;
  isAway = false;
});

afterEach(() => opened.disposeAsync());

async function open(): Promise<Clock> {
  const machine: Clock = {
    now: () => time.now() + aheadMs,
    monotonic: () => time.monotonic() - 5_000,
    sleep: (ms, signal) => time.sleep(ms, signal),
  };
  const note = (fields: LogFields, message: string): void => void logged.push([fields, message]);
  const logger: Logger = {
    debug: () => undefined,
    info: note,
    warn: note,
    error: note,
    child: () => logger,
  };
  const readTimeMs = async (): Promise<number> => {
    if (isAway) throw new Error("gone");
    const ms = time.now() + databaseAheadMs;
    if (readingMs > 0) await time.sleep(readingMs, new AbortController().signal);
    return ms;
  };
  return opened.use(await DatabaseClock.open({ readTimeMs, machine, logger }));
}

it.each([dayMs, -dayMs, 300_000])(
  "tells the database's time on a machine %i ms ahead",
  async (ms) => {
    aheadMs = ms;
    const clock = await open();
    expect(clock.now()).toBe(time.now());
    await time.advance(1_234);
    expect(clock.now()).toBe(time.now());
  },
);

it("ignores a step of the machine's clock", async () => {
  const clock = await open();
  aheadMs = dayMs;
  expect(clock.now()).toBe(time.now());
  await time.advance(periodMs);
  expect(clock.now()).toBe(time.now());
});

it("follows a step of the database's clock", async () => {
  const clock = await open();
  databaseAheadMs = -60_000;
  await time.advance(periodMs);
  expect(clock.now()).toBe(time.now() - 60_000);
});

it("stays as it is while a slow reading allows that", async () => {
  const clock = await open();
  readingMs = 700;
  await time.advance(periodMs + readingMs);
  expect(clock.now()).toBe(time.now());
});

it("goes on while the database is away", async () => {
  aheadMs = dayMs;
  const clock = await open();
  isAway = true;
  await time.advance(60_000);
  expect(clock.now()).toBe(time.now());
});

it("rejects if the database's time cannot be read at first", async () => {
  isAway = true;
  await expect(open()).rejects.toThrow("gone");
});

it("warns once of a wrong clock, and says when it is right again", async () => {
  aheadMs = 300_400;
  await open();
  const wrong = "the clock of this machine differs from that of the database; using the database's";
  const warning = [{ aheadSeconds: 300 }, wrong];
  expect(logged).toEqual([warning]);
  await time.advance(10 * periodMs);
  expect(logged).toEqual([warning]);
  aheadMs = -dayMs;
  await time.advance(periodMs);
  expect(logged).toEqual([warning, [{ behindSeconds: 86_400 }, wrong]]);
  aheadMs = 0;
  await time.advance(10 * periodMs);
  expect(logged.slice(2)).toEqual([
    [{}, "the clock of this machine agrees with that of the database again"],
  ]);
});

it("does not mention small differences", async () => {
  aheadMs = 4_000;
  await open();
  await time.advance(periodMs);
  expect(logged).toEqual([]);
});
