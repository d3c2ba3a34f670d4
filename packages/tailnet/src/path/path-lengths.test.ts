import { expect, it } from "vitest";

import { PathWorld, type RelayFlight, type WorldPeer } from "../../tests/support/path-world.ts";
import { leastDatagramBytes, relayDatagramBytes } from "./path-size.ts";

const hosts = ["20.0.0.1", "20.0.0.2"] as const;

function openTwo(world: PathWorld): readonly [WorldPeer, WorldPeer] {
  const [one, other] = hosts.map((address) => world.addPeer(world.network.addHost({ address })));
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  return [one, other];
}

/** Connects two peers directly. */
async function connectTwo(world: PathWorld): Promise<readonly [WorldPeer, WorldPeer]> {
  const [one, other] = openTwo(world);
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 1);
  expect(one.pathTo(other)).toBe("udp");
  return [one, other];
}

function bytesTo(one: WorldPeer, other: WorldPeer): number {
  return one.driver.datagramBytes(other.node.publicKey);
}

/** Counts the lengths of the datagrams to a peer's host from now on. */
function watchLengths(world: PathWorld, host: string): number[] {
  const lengths: number[] = [];
  world.network.onFlight = ({ to, datagram }) => {
    if (to.address === host) lengths.push(datagram.length);
  };
  return lengths;
}

it("takes a relay to carry long datagrams, and a direct path those of 1,280 bytes", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  const relayed = world.addPeer();
  world.introduce(one, relayed);
  expect(one.driver.datagramBytes(other.node.publicKey)).toBe(leastDatagramBytes);
  expect(one.driver.datagramBytes(relayed.node.publicKey)).toBe(relayDatagramBytes);
  expect(one.driver.datagramBytes(new Uint8Array(32))).toBe(leastDatagramBytes);
});

it("sends what was cut for the relay over the relay, though there is a direct path by now", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  world.network.maxDatagramBytes = leastDatagramBytes;
  const relayed: RelayFlight[] = [];
  const direct: number[] = [];
  world.onRelayFlight = (flight) => relayed.push(flight);
  world.network.onFlight = ({ datagram }) => direct.push(datagram.length);
  const before = other.received.length;
  one.send(other, 4, leastDatagramBytes - 1);
  one.send(other, 4, relayDatagramBytes);
  await world.clock.advance(100);
  expect(relayed.map(({ packet }) => packet.length)).toEqual([relayDatagramBytes]);
  expect(direct).toContain(leastDatagramBytes - 1);
  expect(direct).not.toContain(relayDatagramBytes);
  expect(other.received.length - before).toBe(2);
});

it("finds the length that each direction of a path carries, within a few round trips", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  await one.talk(other, 1, leastDatagramBytes);
  expect([bytesTo(one, other), bytesTo(other, one)]).toEqual([16_416, 16_416]);
});

it("leaves a path without full datagrams alone", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  const lengths = watchLengths(world, hosts[1]);
  await one.talk(other, 20, 1000);
  expect(Math.max(...lengths)).toBe(1310);
  expect(bytesTo(one, other)).toBe(leastDatagramBytes);
});

it("keeps the length of a path that loses longer ones, and stays direct", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  world.network.maxDatagramBytes = 1472;
  const lengths = watchLengths(world, hosts[1]);
  await one.talk(other, 60, leastDatagramBytes);
  expect([bytesTo(one, other), one.pathTo(other)]).toEqual([1440, "udp"]);
  expect(lengths.filter((length) => length === 8832).length).toBe(3);
});

it("uses no length that the machine had to send in fragments, though they arrive", async () => {
  await using world = new PathWorld();
  const socket = world.network.addHost({ address: hosts[0] });
  const one = world.addPeer(socket);
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  socket.wholeBytes = 1472;
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 1);
  await one.talk(other, 20, leastDatagramBytes);
  expect([bytesTo(one, other), bytesTo(other, one)]).toEqual([1440, 16_416]);
  socket.wholeBytes = leastDatagramBytes;
  await one.talk(other, 4, leastDatagramBytes);
  expect(bytesTo(one, other)).toBe(leastDatagramBytes);
});

it("never sends long datagrams with a socket that cannot tell", async () => {
  await using world = new PathWorld();
  const socket = world.network.addHost({ address: hosts[0] });
  const one = world.addPeer({
    ports: socket.ports,
    localAddresses: () => socket.localAddresses(),
    lookup: () => socket.lookup(),
    send: (datagrams, to) => socket.send(datagrams, to),
    onDatagrams: (receiver) => socket.onDatagrams(receiver),
  });
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  await world.clock.advance(10);
  world.introduce(one, other);
  const lengths = watchLengths(world, hosts[1]);
  await one.talk(other, 10, leastDatagramBytes);
  expect([one.pathTo(other), bytesTo(one, other)]).toEqual(["udp", leastDatagramBytes]);
  expect(Math.max(...lengths)).toBe(leastDatagramBytes);
});

it("notices within seconds that a path carries less than before, and that it carries more again", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  await one.talk(other, 1, leastDatagramBytes);
  world.network.maxDatagramBytes = 1400;
  await one.talk(other, 7, leastDatagramBytes);
  expect([bytesTo(one, other), one.pathTo(other)]).toEqual([leastDatagramBytes, "udp"]);
  world.network.maxDatagramBytes = Number.POSITIVE_INFINITY;
  await one.talk(other, 4, leastDatagramBytes);
  expect(bytesTo(one, other)).toBe(16_416);
});

it("knows nothing of another address of the peer, nor of the same after the network changed", async () => {
  await using world = new PathWorld();
  const [one, other] = await connectTwo(world);
  await one.talk(other, 1, leastDatagramBytes);
  expect(bytesTo(one, other)).toBe(16_416);
  world.network.maxDatagramBytes = leastDatagramBytes;
  one.driver.networkChanged();
  expect(bytesTo(one, other)).toBe(relayDatagramBytes);
  await one.talk(other, 1);
  expect([one.pathTo(other), bytesTo(one, other)]).toEqual(["udp", leastDatagramBytes]);
});
