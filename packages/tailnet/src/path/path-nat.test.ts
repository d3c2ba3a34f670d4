import { expect, it } from "vitest";

import { PathWorld, type WorldPeer } from "../../tests/support/path-world.ts";
import type { Nat, NatMapping } from "../../tests/support/udp-network.ts";

const stunServers = [1, 2].map((last) => ({ address: `9.9.9.${String(last)}`, port: 3478 }));

/** Returns a world with two peers that know each other, each behind a NAT of this type or without one. */
async function createWorld(
  kinds: readonly (NatMapping | "none" | "blocked")[],
): Promise<
  PathWorld & { readonly pair: readonly [WorldPeer, WorldPeer]; readonly nats: readonly Nat[] }
> {
  const world = new PathWorld();
  const nats: Nat[] = [];
  for (const server of stunServers) world.network.addStunServer(server);
  const [one, other] = kinds.map((kind, index) => {
    const isOpen = kind === "none" || kind === "blocked";
    const outer = `20.0.0.${String(index + 1)}`;
    const nat = isOpen ? undefined : world.network.addNat(outer, kind);
    if (nat !== undefined) nats.push(nat);
    const socket = world.network.addHost(
      nat === undefined ? { address: outer } : { address: "192.168.1.2", nat },
    );
    if (kind === "blocked") socket.send = () => undefined;
    const peer = world.addPeer(socket);
    peer.driver.setStunServers(
      stunServers.map(({ address, port }) => ({ hostName: address, port, ipv4: "", ipv6: "" })),
    );
    return peer;
  });
  if (one === undefined || other === undefined) throw new Error("wanted two kinds");
  await world.clock.advance(2000);
  world.introduce(one, other);
  return Object.assign(world, { pair: [one, other] as const, nats });
}

it.each([
  ["none", "none"],
  ["none", "endpoint-independent"],
  ["endpoint-independent", "none"],
  ["endpoint-independent", "endpoint-independent"],
  ["none", "address-dependent"],
  ["address-dependent", "none"],
] as const)("finds the direct path between NATs of the kinds %s and %s", async (...kinds) => {
  await using world = await createWorld(kinds);
  const [one, other] = world.pair;
  await one.talk(other, 2);
  expect([one.pathTo(other), other.pathTo(one)]).toEqual(["udp", "udp"]);
  const relayed: Uint8Array[] = [];
  world.onRelayFlight = ({ packet }) => relayed.push(packet);
  const before = other.received.length;
  await one.talk(other, 3);
  expect(other.received.length - before).toBe(30);
  expect(relayed).toEqual([]);
});

it.each([
  ["address-dependent", "address-dependent"],
  ["endpoint-independent", "address-dependent"],
  ["none", "blocked"],
  ["blocked", "endpoint-independent"],
] as const)("stays with the relay between %s and %s, and loses nothing", async (...kinds) => {
  await using world = await createWorld(kinds);
  const [one, other] = world.pair;
  await one.talk(other, 20);
  expect([one.pathTo(other), other.pathTo(one)]).toEqual(["relay", "relay"]);
  expect(one.received.length).toBe(200);
  expect(other.received.length).toBe(200);
});

it("says whether the NAT treats all destinations alike", async () => {
  await using world = await createWorld(["endpoint-independent", "address-dependent"]);
  const [one, other] = world.pair;
  expect(one.driver.udpReport).toEqual({ hasIpv4: true, hasIpv6: false, doesMappingVary: false });
  expect(other.driver.udpReport?.doesMappingVary).toBe(true);
  expect(one.endpoints).toEqual(["20.0.0.1:40001", "192.168.1.2:41641"]);
});

it("falls back to the relay when the direct path breaks, and returns to it", async () => {
  await using world = await createWorld(["endpoint-independent", "none"]);
  const [one, other] = world.pair;
  await one.talk(other, 3);
  expect(one.pathTo(other)).toBe("udp");
  world.network.isBlocked = () => true;
  await one.talk(other, 7);
  expect(one.pathTo(other)).toBe("both");
  const before = other.received.length;
  await one.talk(other, 10);
  expect(one.pathTo(other)).toBe("relay");
  expect(other.received.length - before).toBeGreaterThanOrEqual(99);
  world.network.isBlocked = () => false;
  await one.talk(other, 7);
  expect([one.pathTo(other), other.pathTo(one)]).toEqual(["udp", "udp"]);
});

it("follows a peer whose NAT forgets its mappings, and loses little", async () => {
  await using world = await createWorld(["endpoint-independent", "endpoint-independent"]);
  const [one, other] = world.pair;
  await one.talk(other, 3);
  const before = other.driver.pathOf(one.node.publicKey);
  world.nats[0]?.forget();
  await one.talk(other, 30);
  expect([one.pathTo(other), other.pathTo(one)]).toEqual(["udp", "udp"]);
  expect(other.driver.pathOf(one.node.publicKey)).not.toEqual(before);
  // Data from the other side was lost until it no longer trusted the address.
  expect(one.received.length).toBeGreaterThan(330 - 70);
  expect(other.received.length).toBeGreaterThan(330 - 70);
});

it("keeps the direct path while one datagram in five is lost", async () => {
  await using world = await createWorld(["endpoint-independent", "endpoint-independent"]);
  const [one, other] = world.pair;
  world.network.lossRate = 0.2;
  let direct = 0;
  for (let second = 0; second < 60; second += 1) {
    await one.talk(other, 1);
    if (one.pathTo(other) !== "relay") direct += 1;
  }
  expect(direct).toBeGreaterThan(50);
});
