import { createFakeClock } from "@slipway/testkit";
import { expect, it, vi } from "vitest";

import { type Beginning, NewSessions } from "./new-sessions.ts";

const { signal: never } = new AbortController();

/** Sessions on a server whose clients wait for `turns.delayMs`. */
function open(delayMs: number) {
  const turns = { delayMs };
  const clock = createFakeClock();
  const sessions = new NewSessions({ clock, turns });
  const begun: Beginning[] = [];
  /** The owners of the sessions that may begin, in order. */
  const owners: string[] = [];
  const begin = async (count: number, owner = "ann", signal = never): Promise<void> => {
    for (let number = 0; number < count; number += 1) {
      sessions.begin(owner, signal).then(
        (one) => {
          begun.push(one);
          owners.push(owner);
        },
        () => owners.push(`${owner} left`),
      );
    }
    await new Promise(setImmediate);
  };
  return { clock, turns, begun, owners, begin };
}

it("lets all sessions begin at once on a quick server", async () => {
  const { begun, begin } = open(99);
  await begin(100);
  expect(begun).toHaveLength(100);
});

it("lets 32 begin at a time on a busy server, and the next when one has begun", async () => {
  const { begun, begin } = open(100);
  await begin(40);
  expect(begun).toHaveLength(32);
  begun[0]?.end();
  begun[0]?.end();
  await vi.waitUntil(() => begun.length > 32);
  await new Promise(setImmediate);
  expect(begun).toHaveLength(33);
});

it("lets those that wait begin when the server is quick again", async () => {
  const { turns, begun, begin } = open(100);
  await begin(200);
  turns.delayMs = 0;
  await vi.waitUntil(() => begun.length === 200);
});

it("does not wait for a session that does not begin for more than two seconds", async () => {
  const { clock, begun, begin } = open(100);
  await begin(33);
  await clock.advance(1_999);
  await new Promise(setImmediate);
  expect(begun).toHaveLength(32);
  await clock.advance(1);
  await vi.waitUntil(() => begun.length === 33);
});

it("lets owners take turns, however many sessions of one never begin", async () => {
  const { clock, begun, owners, begin } = open(100);
  await begin(100, "mallory");
  await begin(2, "ann");
  await begin(1, "bob");
  expect(owners).toEqual(Array.from({ length: 32 }, () => "mallory"));
  await clock.advance(2_000);
  await vi.waitUntil(() => begun.length === 64);
  expect(owners.slice(32, 38)).toEqual(["mallory", "ann", "bob", "mallory", "ann", "mallory"]);
});

it("forgets sessions whose clients leave while they wait", async () => {
  const { begun, owners, begin } = open(100);
  const leaving = new AbortController();
  await begin(32);
  await begin(1, "mallory", leaving.signal);
  await begin(1, "bob");
  leaving.abort();
  await begin(1, "mallory", leaving.signal);
  expect(owners.slice(32)).toEqual(["mallory left", "mallory left"]);
  begun[0]?.end();
  await vi.waitUntil(() => begun.length === 33);
  expect(owners.at(-1)).toBe("bob");
});
