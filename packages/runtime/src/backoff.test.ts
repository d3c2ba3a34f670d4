import { createFakeClock } from "@slipway/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Backoff, defaultBackoff, retry, spread } from "./backoff.ts";

const noJitter = { firstMs: 100, maxMs: 1000, factor: 2, jitter: 0 };

describe("Backoff", () => {
  it("grows by the factor up to the cap and starts over after a reset", () => {
    const backoff = new Backoff(noJitter);
    const delays = Array.from({ length: 6 }, () => backoff.next());
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it("only ever shortens a delay by jitter", () => {
    expect(new Backoff({ ...noJitter, jitter: 0.5 }, () => 0).next()).toBe(100);
    expect(new Backoff({ ...noJitter, jitter: 0.5 }, () => 1).next()).toBe(50);
  });

  it("keeps every delay between the shortest first one and the cap, whatever the policy and the randomness", () => {
    const policies = fc.record({
      firstMs: fc.integer({ min: 1, max: 5000 }),
      maxMs: fc.integer({ min: 1, max: 60_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const randoms = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(policies, randoms, (policy, values) => {
        let at = 0;
        const backoff = new Backoff(policy, () => values[at++ % values.length] ?? 0);
        const shortest = Math.min(policy.firstMs, policy.maxMs) * (1 - policy.jitter);
        for (let count = 0; count < 50; count += 1) {
          const delay = backoff.next();
          expect(delay).toBeGreaterThanOrEqual(shortest - 1e-9);
          expect(delay).toBeLessThanOrEqual(policy.maxMs);
        }
      }),
    );
  });
});

describe("retry", () => {
  it("tries again after growing delays until an attempt succeeds", async () => {
    const clock = createFakeClock(0);
    const attempts: number[] = [];
    const result = retry(
      async () => {
        attempts.push(clock.now());
        if (attempts.length < 4) throw new Error("not yet");
        return "done";
      },
      { clock, signal: new AbortController().signal, policy: noJitter, isRetryable: () => true },
    );
    await clock.advance(10_000);
    await expect(result).resolves.toBe("done");
    expect(attempts).toEqual([0, 100, 300, 700]);
  });

  it("gives up with the error that is not retryable, having counted the attempts", async () => {
    const clock = createFakeClock();
    const counts: number[] = [];
    const result = retry(() => Promise.reject(new Error("broken")), {
      clock,
      signal: new AbortController().signal,
      policy: defaultBackoff,
      isRetryable: (_error, attempt) => {
        counts.push(attempt);
        return attempt < 3;
      },
    });
    const outcome = expect(result).rejects.toThrow("broken");
    await clock.advance(60_000);
    await outcome;
    expect(counts).toEqual([1, 2, 3]);
  });

  it("ends a wait with the signal's reason and begins no attempt after it", async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    let attempts = 0;
    const attempt = async (): Promise<void> => {
      attempts += 1;
      throw new Error("not yet");
    };
    const options = { clock, signal: controller.signal, isRetryable: () => true };
    const outcome = expect(retry(attempt, options)).rejects.toThrow("enough");
    await clock.advance(0);
    controller.abort(new Error("enough"));
    await outcome;
    await expect(retry(attempt, options)).rejects.toThrow("enough");
    expect(attempts).toBe(1);
    expect(clock.sleepers).toBe(0);
  });
});

it("shortens a time by up to a third", () => {
  const times = Array.from({ length: 1_000 }, () => spread(300));
  expect(Math.max(...times)).toBeLessThanOrEqual(300);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(200);
  expect(new Set(times).size).toBeGreaterThan(1);
});
