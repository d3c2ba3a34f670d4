import { expect, it } from "vitest";

import { ScriptedClient } from "../tests/support/scripted-client.ts";
import { openTestRelay } from "../tests/support/test-relay.ts";
import type { RelayLimits } from "./limits.ts";

/** A relay that knows its peers, and the keys that a test publishes. */
function openPeersRelay(limits: Partial<RelayLimits> = {}) {
  const known = new Set<string>();
  const looks: number[] = [];
  let tell: ((key: string) => void) | undefined;
  let failure: Error | undefined;
  const publishedKeys = {
    find: async (keys: readonly string[]) => {
      looks.push(keys.length);
      if (failure !== undefined) throw failure;
      return new Set(keys.filter((key) => known.has(key)));
    },
    onPublished: (listener: (key: string) => void) => {
      tell = listener;
      return { [Symbol.dispose]: () => (tell = undefined) };
    },
  };
  const opened = openTestRelay({ limits, publishedKeys });
  return {
    ...opened,
    looks,
    /** Publishes a key at another replica, or at this one, which tells the relay. */
    publish: ({ key }: { readonly key: string }, where: "here" | "elsewhere") => {
      known.add(key);
      if (where === "here") tell?.(key);
    },
    withdraw: ({ key }: { readonly key: string }) => known.delete(key),
    fail: (error: Error | undefined) => (failure = error),
  };
}

const packet = new Uint8Array(1_000);

/** Sends more than a stranger may, and returns whether the relay makes the client wait. */
function isSlow(client: ScriptedClient): boolean {
  for (let count = 0; count < 300; count += 1) client.sendPacket(client, packet);
  return client.isPaused;
}

it("reads a stranger slowly, closes it after half a minute, and lets a known key alone", async () => {
  const { relay, clock, publish } = openPeersRelay();
  const peer = new ScriptedClient(relay);
  publish(peer, "elsewhere");
  peer.login();
  const stranger = new ScriptedClient(relay).login();
  await clock.advance(0);
  expect([isSlow(peer), isSlow(stranger), relay.strangers]).toEqual([false, true, 1]);
  await clock.advance(29_000);
  expect([peer.isOpen, stranger.isOpen]).toEqual([true, true]);
  await clock.advance(2_000);
  expect([peer.isOpen, stranger.isOpen, relay.strangers]).toEqual([true, false, 0]);
  expect(relay.counters.closed.stranger).toBe(1);
});

it("carries a stranger's first packets, as a peer may publish its key a little later", async () => {
  const { relay, clock, publish } = openPeersRelay();
  const [ann, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  await clock.advance(0);
  ann.sendPacket(bob, "early");
  expect(bob.packets).toEqual([[ann.key, "early"]]);
  expect(isSlow(ann)).toBe(true);
  publish(ann, "here");
  // It becomes a peer immediately, and its earlier packets are forwarded.
  expect(ann.isPaused).toBe(false);
  expect([isSlow(ann), relay.strangers]).toEqual([false, 1]);
});

it("finds a key that is published at another replica within seconds", async () => {
  const { relay, clock, publish } = openPeersRelay();
  const ann = new ScriptedClient(relay).login();
  await clock.advance(10_000);
  publish(ann, "elsewhere");
  await clock.advance(5_000);
  expect(relay.strangers).toBe(0);
  await clock.advance(60_000);
  expect(ann.isOpen).toBe(true);
});

it("makes all connections of a key peers, and counts strangers who leave no more", async () => {
  const { relay, clock, publish } = openPeersRelay();
  const first = new ScriptedClient(relay).login();
  const second = new ScriptedClient(relay, { keys: first.keys }).login();
  const gone = new ScriptedClient(relay).login();
  await clock.advance(0);
  gone.disconnect();
  expect(relay.strangers).toBe(2);
  publish(first, "here");
  expect(relay.strangers).toBe(0);
  expect([isSlow(first), isSlow(second)]).toEqual([false, false]);
});

it("treats a peer as a stranger again once its key is withdrawn", async () => {
  const { relay, clock, publish, withdraw } = openPeersRelay();
  const ann = new ScriptedClient(relay).login();
  publish(ann, "elsewhere");
  await clock.advance(1_000);
  withdraw(ann);
  await clock.advance(300_000);
  expect([ann.isOpen, relay.strangers]).toEqual([true, 1]);
  await clock.advance(31_000);
  expect(ann.isOpen).toBe(false);
});

it("looks for no key of a peer that has left", async () => {
  const { relay, clock, looks, publish } = openPeersRelay();
  const ann = new ScriptedClient(relay).login();
  publish(ann, "here");
  await clock.advance(0);
  const before = looks.length;
  ann.disconnect();
  await clock.advance(600_000);
  expect(looks).toHaveLength(before);
});

it("closes nobody while keys cannot be looked for", async () => {
  const { relay, clock, fail } = openPeersRelay();
  fail(new Error("no database"));
  const ann = new ScriptedClient(relay).login();
  await clock.advance(60_000);
  expect([ann.isOpen, isSlow(ann)]).toEqual([true, true]);
  fail(undefined);
  await clock.advance(6_000);
  expect(ann.isOpen).toBe(false);
});

it("closes the oldest of too many strangers of an address, logged in or not", () => {
  const { relay } = openPeersRelay({ maxStrangersPerAddress: 2 });
  const accepted = { address: "192.0.2.1" };
  const [first, second, third] = [1, 2, 3].map(() => new ScriptedClient(relay, { accepted }));
  const other = new ScriptedClient(relay, { accepted: { address: "192.0.2.2" } });
  expect([first, second, third, other].map((one) => one?.isOpen)).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(relay.counters.closed["too-many-strangers"]).toBe(1);
});

it("closes strangers of the address that has the most when there are too many in all", () => {
  const { relay } = openPeersRelay({ maxStrangers: 3 });
  const connect = (address: string) => new ScriptedClient(relay, { accepted: { address } });
  const one = connect("192.0.2.1");
  const many = [connect("192.0.2.9"), connect("192.0.2.9")];
  const last = connect("192.0.2.2");
  expect([one, ...many, last].map(({ isOpen }) => isOpen)).toEqual([true, false, true, true]);
});

it("bounds what strangers cause together, whatever their addresses and keys", async () => {
  const { relay, clock } = openPeersRelay();
  const strangers = Array.from({ length: 200 }, (_, index) =>
    new ScriptedClient(relay, { accepted: { address: `192.0.2.${index}` } }).login(),
  );
  await clock.advance(0);
  const before = relay.counters.packetBytes;
  const fill = (): void => {
    for (const one of strangers)
      for (let count = 0; count < 40; count += 1) one.sendPacket(one, packet);
  };
  for (let second = 0; second < 10; second += 1) {
    fill();
    await clock.advance(1_000);
  }
  // 16 MiB at once and 4 MiB a second, including the costs of frames and receivers; each has one more work item.
  expect(relay.counters.packetBytes - before).toBeLessThan(
    (16 + 10 * 4) * 1024 ** 2 + 200 * 17_000,
  );
});

it("knows its own process's peer without its key, and looks for no key of a link", async () => {
  const { relay, clock, looks } = openPeersRelay();
  const own = new ScriptedClient(relay, { accepted: { isPeer: true } }).login();
  await clock.advance(60_000);
  expect([own.isOpen, isSlow(own), looks]).toEqual([true, false, []]);
});

it("looks for many keys in parts", async () => {
  const { relay, clock, looks } = openPeersRelay();
  const clients = Array.from({ length: 300 }, () => new ScriptedClient(relay).login());
  await clock.advance(0);
  expect(Math.max(...looks)).toBeLessThanOrEqual(256);
  expect(looks.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(clients.length);
});

it("takes everybody for a peer without a register of keys", async () => {
  const { relay, clock } = openTestRelay();
  const anyone = new ScriptedClient(relay).login();
  await clock.advance(60_000);
  expect([anyone.isOpen, isSlow(anyone), relay.strangers]).toEqual([true, false, 0]);
});
