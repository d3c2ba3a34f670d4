import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { Arrivals } from "./arrivals.ts";

function never(): AbortSignal {
  return new AbortController().signal;
}

/** Arrivals at a server with a load, and the names that were admitted and refused so far. */
function openArrivals(load: number) {
  const clock = createFakeClock(0);
  const server = { load };
  const arrivals = new Arrivals({ clock, busySince: () => server.load });
  const admitted: string[] = [];
  const refused: string[] = [];
  const come = (name: string, signal: AbortSignal = never()): void =>
    void arrivals.enter(name, signal).then(
      () => admitted.push(name),
      (error: unknown) => refused.push(`${name}: ${error instanceof Error ? error.name : "?"}`),
    );
  const comeAll = (count: number, name = "agent"): void => {
    for (let number = 1; number <= count; number += 1) come(`${name} ${number}`);
  };
  return { clock, server, arrivals, come, comeAll, admitted, refused };
}

describe("arrivals", () => {
  it("admits the first at once, and the others in their order", async () => {
    const { clock, comeAll, admitted } = openArrivals(0);
    comeAll(1_000);
    await clock.advance(0);
    expect(admitted).toHaveLength(60);
    await clock.advance(2_000);
    expect(admitted).toEqual(Array.from({ length: 1_000 }, (_, index) => `agent ${index + 1}`));
  });

  it("admits fewer while the server is busy, but 200 a second whatever its load", async () => {
    const idle = openArrivals(0);
    const busy = openArrivals(0.6);
    const overloaded = openArrivals(1);
    const rates = [];
    for (const { clock, comeAll, admitted } of [idle, busy, overloaded]) {
      comeAll(4_000);
      await clock.advance(1_000);
      const before = admitted.length;
      await clock.advance(1_000);
      rates.push(admitted.length - before);
    }
    expect(rates).toEqual([1_000, 500, 200]);
  });

  it("keeps up its pace when the event loop is late", async () => {
    const { clock, comeAll, admitted } = openArrivals(1);
    comeAll(100);
    await clock.advance(0);
    expect(admitted).toHaveLength(12);
    const late = { ...clock, sleep: () => clock.sleep(60, never()) };
    const arrivals = new Arrivals({ clock: late, busySince: () => 1 });
    let count = 0;
    for (let number = 0; number < 100; number += 1) {
      void arrivals.enter(String(number), never()).then(() => (count += 1));
    }
    await clock.advance(0);
    expect(count).toBe(12);
    await clock.advance(60);
    expect(count).toBe(24);
  });

  it("does not let a newcomer pass those that wait, even if their turns are late", async () => {
    const { clock, admitted } = openArrivals(1);
    const late = { ...clock, sleep: () => clock.sleep(60, never()) };
    const arrivals = new Arrivals({ clock: late, busySince: () => 1 });
    const come = (name: string): void =>
      void arrivals.enter(name, never()).then(() => admitted.push(name));
    for (let number = 1; number <= 13; number += 1) come(String(number));
    await clock.advance(40);
    come("newcomer");
    await clock.advance(20);
    expect(admitted.slice(12)).toEqual(["13", "newcomer"]);
  });

  it("adapts to the load within a tick", async () => {
    const { clock, server, comeAll, admitted } = openArrivals(1);
    comeAll(4_000);
    await clock.advance(1_000);
    server.load = 0;
    const before = admitted.length;
    await clock.advance(20);
    expect(admitted.length - before).toBe(20);
  });

  it("holds one place for each name, which its newest session takes over", async () => {
    const { clock, come, comeAll, admitted, refused } = openArrivals(1);
    comeAll(16);
    await clock.advance(0);
    const first = new AbortController();
    come("agent 13", first.signal);
    come("agent 13");
    first.abort();
    come("last");
    await clock.advance(0);
    expect(refused).toEqual(["agent 13: Unavailable", "agent 13: Unavailable"]);
    await clock.advance(20);
    expect(admitted.slice(12)).toEqual(["agent 13", "agent 14", "agent 15", "agent 16"]);
    await clock.advance(20);
    expect(admitted.slice(16)).toEqual(["last"]);
  });

  it("does not let one that connects again and again delay others by more than its place", async () => {
    const { clock, come, comeAll, admitted } = openArrivals(1);
    comeAll(12);
    for (let time = 0; time < 1_000; time += 1) come("greedy");
    come("modest");
    await clock.advance(20);
    expect(admitted.slice(12)).toEqual(["greedy", "modest"]);
  });

  it("forgets one that disconnects, whose place the next one gets", async () => {
    const { clock, come, comeAll, admitted, refused } = openArrivals(1);
    comeAll(12);
    const gone = new AbortController();
    come("gone", gone.signal);
    comeAll(4, "later");
    gone.abort(new DOMException("the client disconnected", "AbortError"));
    await clock.advance(20);
    expect(admitted.slice(12)).toEqual(["later 1", "later 2", "later 3", "later 4"]);
    expect(refused).toEqual(["gone: AbortError"]);
  });

  it("does not admit one that disconnected before", async () => {
    const { clock, come, admitted, refused } = openArrivals(0);
    come("gone", AbortSignal.abort(new DOMException("gone", "AbortError")));
    await clock.advance(20);
    expect([admitted, refused]).toEqual([[], ["gone: AbortError"]]);
  });

  it("refuses one whose turn does not come in 25 s, and one beyond a limit, with the time to come again", async () => {
    const { clock, arrivals, comeAll, admitted, refused } = openArrivals(1);
    comeAll(12 + 16_384);
    await clock.advance(0);
    await expect(arrivals.enter("beyond", never())).rejects.toMatchObject({
      code: "unavailable",
      retryAfterSeconds: 5,
    });
    await clock.advance(24_980);
    expect(refused).toEqual([]);
    await clock.advance(20);
    expect(admitted).toHaveLength(12 + 1_250 * 4);
    expect(refused).toHaveLength(16_384 - 5_000);
    // It is at rest again.
    expect(clock.sleepers).toBe(0);
    comeAll(1, "again");
    await clock.advance(20);
    expect(admitted.at(-1)).toBe("again 1");
  });
});
