import { silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { LocalListeners } from "../../platform/pubsub/local-listeners.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { type OpenApp, OpenApps } from "./open-apps.ts";

const limits = { maxAppConnections: 3, maxAppConnectionsPerUser: 2 };

function world() {
  const clock = createFakeClock();
  const pubsub = new LocalListeners();
  const subscribe = pubsub.add.bind(pubsub);
  const open = new OpenApps({ pubsub: { subscribe }, clock, logger: silentLogger, limits });
  const ended: string[] = [];
  const lost = new Set<string>();
  let looks = 0;
  const app = (name: string, right: string, userId = "ann"): OpenApp => ({
    workspaceId: right,
    userId,
    right,
    mayStay: async () => {
      looks += 1;
      return !lost.has(right);
    },
    end: () => ended.push(name),
  });
  return { clock, pubsub, open, ended, lost, app, looks: () => looks };
}

it("ends what its viewer may no longer open, and asks once for all with the same right", async () => {
  const { clock, open, ended, lost, app, looks } = world();
  const stop = new AbortController();
  const running = open.run(stop.signal).catch(() => undefined);
  open.hold("ann", app("a", "one"));
  open.hold("ann", app("b", "one"));
  open.hold("bob", app("c", "two"));
  await clock.advance(20_000);
  expect(ended).toEqual([]);
  expect(looks()).toBeGreaterThanOrEqual(2);
  expect(looks()).toBeLessThanOrEqual(4);
  lost.add("one");
  await clock.advance(16_000);
  expect(new Set(ended)).toEqual(new Set(["a", "b"]));
  stop.abort();
  await running;
});

it("looks at once after a hint", async () => {
  const { clock, pubsub, open, ended, lost, app, looks } = world();
  const stop = new AbortController();
  const running = open.run(stop.signal).catch(() => undefined);
  open.hold("ann", app("a", "one"));
  open.hold("bob", app("b", "two", "bob"));
  lost.add("one");
  pubsub.hint(topics.workspace("one"));
  pubsub.hint(topics.workspace("one"));
  await clock.advance(300);
  expect(ended).toEqual(["a"]);
  expect(looks()).toBe(1);
  lost.add("two");
  pubsub.hint(topics.sessions("ann"));
  await clock.advance(300);
  expect(ended).not.toContain("b");
  pubsub.hint(topics.sessions("bob"));
  await clock.advance(300);
  expect(ended).toContain("b");
  stop.abort();
  await running;
});

it("counts by viewer and in all", () => {
  const { open, app } = world();
  const first = open.hold("ann", app("a", "one"));
  open.hold("ann", app("b", "two"));
  expect(open.hold("ann", app("c", "three"))).toMatchObject({ status: 429 });
  open.hold("bob", app("d", "one"));
  expect(open.hold("bob", app("e", "one"))).toMatchObject({ status: 503 });
  expect(open.size).toBe(3);
  if (!(Symbol.dispose in first)) throw new Error("the first was refused");
  first[Symbol.dispose]();
  expect(Symbol.dispose in open.hold("ann", app("f", ""))).toBe(true);
});
