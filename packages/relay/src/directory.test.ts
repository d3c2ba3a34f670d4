import { DerpFrameType } from "@slipway/wire/derp/header";
import { expect, it } from "vitest";

import { createCounters } from "./counters.ts";
import { Directory } from "./directory.ts";
import { maxRememberedDestinations, maxRememberedPairs } from "./limits.ts";
import type { Peer, PeerConnection } from "./peer.ts";
import type { Work } from "./turns.ts";

/** A connection that records the notices that it gets. */
class TestConnection implements PeerConnection {
  readonly told: number[] = [];

  notify([type = 0]: Uint8Array): void {
    this.told.push(type);
  }

  evict(): void {
    throw new Error("not expected");
  }
}

interface Client {
  readonly peer: Peer<TestConnection>;
  readonly connection: TestConnection;
}

function open() {
  const counters = createCounters();
  const start = (work: Work): boolean => {
    while (work.work());
    return true;
  };
  const directory = new Directory<TestConnection>({ counters, turns: { start } });
  let count = 0;
  const add = (): Client => {
    count += 1;
    const key = new Uint8Array(32);
    new DataView(key.buffer).setUint32(0, count);
    const connection = new TestConnection();
    return { connection, peer: directory.add(key, connection) };
  };
  return { counters, directory, add };
}

it("remembers only so many pairs of all clients, and tells those alone that it remembers", () => {
  const { counters, directory, add } = open();
  const [source, first, second] = [add(), add(), add()];
  counters.rememberedPairs = maxRememberedPairs - 1;
  directory.remember(source.peer, first.peer);
  directory.remember(source.peer, second.peer);
  expect(counters.rememberedPairs).toBe(maxRememberedPairs);
  directory.remove(source.peer, source.connection);
  expect(first.connection.told).toEqual([DerpFrameType.peerGone]);
  expect(second.connection.told).toEqual([]);
  expect(counters.rememberedPairs).toBe(maxRememberedPairs - 1);
});

it("has room for pairs again once others are gone", () => {
  const { counters, directory, add } = open();
  const [greedy, victim, modest] = [add(), add(), add()];
  directory.remember(greedy.peer, victim.peer);
  counters.rememberedPairs += maxRememberedPairs - 1;
  directory.remember(modest.peer, victim.peer);
  expect(modest.peer.destinationCount).toBe(0);
  directory.remove(greedy.peer, greedy.connection);
  directory.remember(modest.peer, victim.peer);
  expect(modest.peer.destinationCount).toBe(1);
});

it("counts each pair once, and no more of one client than it may have", () => {
  const { counters, directory, add } = open();
  const source = add();
  const others = Array.from({ length: 300 }, add);
  source.peer.maxDestinations = 256;
  for (const { peer } of [...others, ...others]) directory.remember(source.peer, peer);
  expect(counters.rememberedPairs).toBe(256);
  expect(maxRememberedDestinations).toBeGreaterThan(256);
  const [one] = others;
  if (one === undefined) throw new Error("no client");
  directory.remove(one.peer, one.connection);
  directory.remove(source.peer, source.connection);
  expect(counters.rememberedPairs).toBe(0);
});
