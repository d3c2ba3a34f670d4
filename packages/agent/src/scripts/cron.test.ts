import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { parseCron, CronError, runSchedule } from "./cron.ts";

async function nextTimes(text: string, from: string, count: number): Promise<string[]> {
  const schedule = await parseCron(text);
  const times: string[] = [];
  for (let ms = Date.parse(from); times.length < count;) {
    const next = schedule.next(ms);
    if (next === undefined) break;
    times.push(new Date(next).toISOString());
    ms = next;
  }
  return times;
}

describe("parseCron", () => {
  it("reads seconds first, and the day of week only if it is there", async () => {
    expect(await nextTimes("TZ=UTC 30 15 8 * *", "2026-02-27T09:00:00Z", 2)).toEqual([
      "2026-02-28T08:15:30.000Z",
      "2026-03-01T08:15:30.000Z",
    ]);
    expect(await nextTimes("CRON_TZ=UTC 0 0 8 * * MON", "2026-02-27T09:00:00Z", 1)).toEqual([
      "2026-03-02T08:00:00.000Z",
    ]);
  });

  it("reads times in the zone that it names, over a change of the clocks", async () => {
    expect(await nextTimes("TZ=Europe/Berlin 0 0 8 * *", "2026-03-28T00:00:00Z", 2)).toEqual([
      "2026-03-28T07:00:00.000Z",
      "2026-03-29T06:00:00.000Z",
    ]);
  });

  it("takes a number before a step as the start of a range", async () => {
    expect(await nextTimes("TZ=UTC 5/20 * * * *", "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-01T00:00:05.000Z",
      "2026-01-01T00:00:25.000Z",
      "2026-01-01T00:00:45.000Z",
    ]);
  });

  it("takes a name before a step as the start of a range", async () => {
    expect(await nextTimes("TZ=UTC 0 0 9 * oct/2 wed/2", "2026-09-29T00:00:00Z", 3)).toEqual([
      "2026-10-02T09:00:00.000Z",
      "2026-10-07T09:00:00.000Z",
      "2026-10-09T09:00:00.000Z",
    ]);
  });

  it("runs on either day where both days are given", async () => {
    expect(await nextTimes("TZ=UTC 0 0 0 1 * 1", "2026-01-31T00:00:00Z", 2)).toEqual([
      "2026-02-01T00:00:00.000Z",
      "2026-02-02T00:00:00.000Z",
    ]);
  });

  it("knows no next time of a day that never comes", async () => {
    expect(await nextTimes("TZ=UTC 0 0 0 30 2 *", "2026-01-01T00:00:00Z", 1)).toEqual([]);
  });

  it.each([
    "",
    "@daily",
    "* * * *",
    "61 * * * *",
    "* * * L * *",
    "TZ=Nowhere/X * * * * *",
    "a b c d e",
  ])("refuses %j", async (text) => {
    await expect(parseCron(text)).rejects.toThrow(CronError);
  });
});

describe("runSchedule", () => {
  it("reaches a time by several short sleeps", async () => {
    const clock = createFakeClock(0);
    const ran: number[] = [];
    const end = new AbortController();
    const next = (ms: number): number => ms + 3_600_000;
    const ended = runSchedule({ next }, () => ran.push(clock.now()), { clock, signal: end.signal });
    await clock.advance(3_599_999);
    expect(ran).toEqual([]);
    await clock.advance(1);
    expect(ran).toEqual([3_600_000]);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
  });

  it("notices within a minute that the machine's clock was set", async () => {
    const clock = createFakeClock(0);
    let aheadMs = 0;
    const set = { ...clock, now: () => clock.now() + aheadMs };
    const ran: number[] = [];
    const end = new AbortController();
    const next = (ms: number): number => ms + 3_600_000;
    const ended = runSchedule({ next }, () => ran.push(clock.now()), {
      clock: set,
      signal: end.signal,
    });
    await clock.advance(30_000);
    aheadMs = 3_600_000;
    await clock.advance(30_000);
    expect(ran).toEqual([60_000]);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
  });

  it("counts a new time from the last", async () => {
    const clock = createFakeClock(0);
    const ran: number[] = [];
    const end = new AbortController();
    const next = (ms: number): number => ms + 30_000;
    const ended = runSchedule({ next }, () => ran.push(clock.now()), { clock, signal: end.signal });
    await clock.advance(100_000);
    expect(ran).toEqual([30_000, 60_000, 90_000]);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
  });
});
