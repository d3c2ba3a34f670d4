import { beforeEach, describe, expect, it } from "vitest";

import { RateLimited } from "../errors/errors.ts";
import { PasswordAttempts } from "./password-attempts.ts";

let now = 0;
let attempts: PasswordAttempts;
beforeEach(() => {
  now = 1_000_000;
  attempts = new PasswordAttempts({ now: () => now });
});

/** Tries a password; resolves to true if it was correct, or to the seconds to wait. */
async function attempt(isRight: boolean, account = "ann", address = "192.0.2.1") {
  try {
    return await attempts.check(account, address, async () => isRight);
  } catch (error) {
    if (!(error instanceof RateLimited)) throw error;
    return Number(error.retryAfterSeconds);
  }
}

async function fail(times: number, account?: string, address?: string): Promise<void> {
  for (let at = 0; at < times; at += 1) {
    expect(await attempt(false, account, address)).toBe(false);
  }
}

describe("attempts at a password", () => {
  it("wait after five failures, each time twice as long, and five minutes at most", async () => {
    await fail(5);
    const waits: number[] = [];
    for (let at = 0; at < 11; at += 1) {
      const wait = await attempt(true);
      waits.push(Number(wait));
      now += Number(wait) * 1000;
      expect(await attempt(false)).toBe(false);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it("are forgotten one by one, and all of the address at once after a success", async () => {
    await fail(5);
    now += 11 * 60_000;
    await fail(1);
    expect(await attempt(false)).toBe(1);
    now += 1_000;
    expect(await attempt(true)).toBe(true);
    await fail(5);
    expect(await attempt(false)).toBe(1);
  });

  it("from one address do not keep a person out who is elsewhere, however long they go on", async () => {
    for (let hours = 0; hours < 48;) {
      const wait = await attempt(false);
      if (typeof wait !== "number") continue;
      now += wait * 1000;
      hours += (wait * 1000) / 3_600_000;
    }
    expect(await attempt(false, "ann", "198.51.100.1")).toBe(false);
    expect(await attempt(true, "ann", "198.51.100.1")).toBe(true);
  });

  it("from many addresses wait, but not where the person has logged in before", async () => {
    expect(await attempt(true, "ann", "203.0.113.1")).toBe(true);
    for (let at = 0; at < 10; at += 1) await fail(5, "ann", `198.51.100.${at}`);
    expect(await attempt(true, "ann", "198.51.100.200")).toBe(1);
    expect(await attempt(true, "ann", "203.0.113.1")).toBe(true);
    expect(await attempt(true, "bob", "198.51.100.200")).toBe(true);
  });

  it("of one IPv6 network count together", async () => {
    for (let at = 0; at < 5; at += 1) await fail(1, "ann", `2001:db8:1:2::${at}`);
    expect(await attempt(true, "ann", "2001:db8:1:2:ffff::1")).toBe(1);
  });

  it("that run at a time are limited before their results are known", async () => {
    const results = await Promise.all(Array.from({ length: 1_000 }, () => attempt(false)));
    expect(results.filter((result) => result === false)).toHaveLength(16);
    expect(await attempt(true)).toBeGreaterThan(1);
  });

  it("that come together share no delay: one of them runs, whatever it waited for", async () => {
    await fail(5);
    for (let wait = await attempt(true), round = 0; round < 8; round += 1) {
      now += Number(wait) * 1000;
      const results = await Promise.all(Array.from({ length: 20 }, () => attempt(false)));
      expect(results.filter((result) => result === false)).toHaveLength(1);
      wait = await attempt(true);
    }
  });

  it("that come together have as many free failures as one by one, after the first", async () => {
    await fail(2);
    const results = await Promise.all(Array.from({ length: 20 }, () => attempt(false)));
    expect(results.filter((result) => result === false)).toHaveLength(3);
  });

  it("from many addresses that run at a time are limited before their results are known", async () => {
    const results = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => attempt(false, "ann", `198.51.100.${at % 200}`)),
    );
    expect(results.filter((result) => result === false)).toHaveLength(64);
  });

  it.each([0, 1, 4, 5])(
    "that come together and are right all succeed after %d failures",
    async (failures) => {
      await fail(failures);
      now += 1_000;
      const results = await Promise.all(Array.from({ length: 40 }, () => attempt(true)));
      expect(results).toEqual(Array<boolean>(40).fill(true));
    },
  );

  it("that come together and are right all succeed where only strangers failed", async () => {
    for (let at = 0; at < 10; at += 1) await fail(5, "ann", `198.51.100.${at}`);
    now += 1_000;
    const results = await Promise.all(Array.from({ length: 16 }, () => attempt(true)));
    expect(results).toEqual(Array<boolean>(16).fill(true));
  });

  it("wait for their turn, up to 64 of them, and are refused as too many beyond that", async () => {
    const result = Promise.withResolvers<boolean>();
    let started = 0;
    const start = (): Promise<boolean> =>
      attempts.check("ann", "192.0.2.1", () => {
        started += 1;
        return result.promise;
      });
    const pending = Array.from({ length: 16 + 64 }, start);
    await expect(start()).rejects.toMatchObject({
      code: "rate-limited",
      message: "Too many concurrent attempts to log in.",
      retryAfterSeconds: 1,
    });
    expect(started).toBe(16);
    expect(await attempt(true, "ann", "198.51.100.1")).toBe(true);
    result.resolve(true);
    expect(await Promise.all(pending)).toEqual(Array<boolean>(80).fill(true));
    expect(started).toBe(80);
  });

  it("give up their turn if their check throws", async () => {
    const broken = Promise.withResolvers<boolean>();
    const pending = Array.from({ length: 16 }, () =>
      attempts.check("ann", "192.0.2.1", () => broken.promise),
    );
    const waiting = attempt(true);
    broken.reject(new Error("broken"));
    const results = await Promise.allSettled(pending);
    expect(results.map(({ status }) => status)).toEqual(Array<string>(16).fill("rejected"));
    expect(await waiting).toBe(true);
  });

  it("at many accounts are forgotten in the order in which they became quiet", async () => {
    await fail(5);
    await fail(5, "bob");
    await fail(1, "cat");
    for (let at = 0; at < 50_000 - 1; at += 1) await fail(1, `account-${at}`);
    // Ann's count and Bob's were evicted; the one after them remains.
    await fail(4, "cat");
    expect(await attempt(false, "cat")).toBe(1);
    expect(await attempt(false, "bob")).toBe(false);
  });
});
