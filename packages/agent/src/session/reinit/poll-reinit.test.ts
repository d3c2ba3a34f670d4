import { silentLogger } from "@slipway/runtime";
import { type ReinitAnswer, ReinitError, type ReinitEvent } from "@slipway/sdk/agent";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { pollReinit } from "./poll-reinit.ts";

const event: ReinitEvent = { workspaceId: "w", ownerId: "o", reason: "prebuild_claimed" };
const frame: ReinitAnswer = { kind: "event", event };
const ended: ReinitAnswer = { kind: "ended", reason: "by the server" };
const unauthorized: ReinitAnswer = { kind: "unauthorized" };
const failed: ReinitAnswer = { kind: "failed", error: new ReinitError("bad gateway") };
const never: ReinitAnswer = { kind: "not-a-prebuild", message: "no" };

interface PollRun {
  /** The start times of the requests. */
  readonly times: readonly number[];
  readonly events: number;
  readonly isOver: boolean;
}

/** Plays answers, each after its delay in milliseconds; after the last one requests wait forever. */
async function poll(
  answers: readonly (readonly [number, ReinitAnswer])[],
  { forMs = 120_000, hasChanged = false, random = 0 } = {},
): Promise<PollRun> {
  const clock = createFakeClock(0);
  const times: number[] = [];
  let events = 0;
  let isOver = false;
  const end = new AbortController();
  const polling = pollReinit(
    {
      waitForReinit: async (signal) => {
        const [afterMs, answer] = answers[times.length] ?? [Number.MAX_SAFE_INTEGER, ended];
        times.push(Math.floor(clock.now()));
        await clock.sleep(afterMs, signal);
        return answer;
      },
      onEvent: async () => {
        events += 1;
        return hasChanged;
      },
      clock,
      random: () => random,
      logger: silentLogger,
    },
    end.signal,
  );
  void polling.then(
    () => (isOver = true),
    () => undefined,
  );
  await clock.advance(forMs);
  const result = { times, events, isOver };
  end.abort(new Error("enough"));
  await polling.catch(() => undefined);
  expect(clock.sleepers).toBe(0);
  return result;
}

describe("pollReinit", () => {
  it("ends for good when the server says that no event will come", async () => {
    expect(await poll([[5, never]])).toEqual({ times: [0], events: 0, isOver: true });
  });

  it("asks again at once after an event that changed something", async () => {
    expect(await poll([[1000, frame]], { hasChanged: true })).toMatchObject({
      times: [0, 1100],
      events: 1,
    });
  });

  it("asks again half a minute later and more after one that changed nothing", async () => {
    const seeding = [
      [0, frame],
      [0, frame],
      [0, frame],
    ] as const;
    const { times, events, isOver } = await poll(seeding);
    expect(times).toEqual([0, 30_000, 60_000, 90_000]);
    expect(events).toBe(3);
    expect(isOver).toBe(false);
    expect((await poll(seeding, { random: 0.5 })).times).toEqual([0, 45_000, 90_000]);
  });

  it("slows down while there is no stream, whatever the reason", async () => {
    const answers = Array.from(
      { length: 12 },
      (_, index) => [0, index % 2 === 0 ? failed : unauthorized] as const,
    );
    const { times } = await poll(answers);
    expect(times.slice(0, 5)).toEqual([0, 100, 261, 523, 947]);
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBe(10_000);
  });

  it("takes the end of a stream for normal: spreads out, and starts anew with small delays", async () => {
    const failures = Array.from({ length: 8 }, () => [0, failed] as const);
    const { times } = await poll([...failures, [2_000, ended], [0, failed], [0, failed]], {
      random: 0.5,
    });
    const gaps = times.slice(8).map((time, index, all) => (all[index + 1] ?? Number.NaN) - time);
    expect(gaps.slice(0, 3)).toEqual([2_500, 90, expect.closeTo(145, -1)]);
  });

  it("slows down while streams end as soon as they begin", async () => {
    const { times } = await poll(Array.from({ length: 4 }, () => [0, ended] as const));
    expect(times).toEqual([0, 100, 261, 523, 947]);
  });

  it("begins its delays anew after an event", async () => {
    const { times } = await poll(
      [
        [0, failed],
        [0, failed],
        [0, frame],
        [0, failed],
      ],
      { hasChanged: true },
    );
    expect(times).toEqual([0, 100, 261, 361, 523]);
  });

  it("rejects with the reason of the signal", async () => {
    const polling = pollReinit(
      {
        waitForReinit: async (signal) => {
          await createFakeClock().sleep(1, signal);
          return ended;
        },
        onEvent: async () => false,
        clock: createFakeClock(),
        random: () => 0,
        logger: silentLogger,
      },
      AbortSignal.abort(new Error("enough")),
    );
    await expect(polling).rejects.toThrow("enough");
  });
});
