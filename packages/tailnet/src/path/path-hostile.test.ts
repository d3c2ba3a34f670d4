import type { DiscoMessage } from "@slipway/wire/disco/message";
import { parseDiscoPacket } from "@slipway/wire/disco/packet";
import { expect, it } from "vitest";

import { PathWorld, type WorldPeer } from "../../tests/support/path-world.ts";
import type { Flight } from "../../tests/support/udp-network.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { DiscoSealer } from "./disco-sealer.ts";
import { toDiscoEndpoint, type UdpAddress } from "./udp-address.ts";

const attacker: UdpAddress = { address: "66.0.0.1", port: 666 };

interface Stage {
  readonly world: PathWorld;
  readonly one: WorldPeer;
  readonly other: WorldPeer;
}

/** Returns two peers that are connected directly. */
async function connect(): Promise<Stage & AsyncDisposable> {
  const world = new PathWorld();
  const [one, other] = ["20.0.0.1", "20.0.0.2"].map((address) =>
    world.addPeer(world.network.addHost({ address })),
  );
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 1);
  expect(one.pathTo(other)).toBe("udp");
  return { world, one, other, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const sealers = new WeakMap<WorldPeer, DiscoSealer>();

/** Seals a message like a peer. */
function sealAs(peer: WorldPeer, to: WorldPeer, message: DiscoMessage, bytes = 0): Uint8Array {
  const sealer = sealers.get(peer) ?? new DiscoSealer(nobleCrypto, peer.disco);
  if (!sealers.has(peer)) sealer.add(to.disco.publicKey);
  sealers.set(peer, sealer);
  return sealer.seal(to.disco.publicKey, message, bytes) ?? new Uint8Array();
}

const address = (peer: WorldPeer): UdpAddress => {
  const [text = ""] = peer.endpoints;
  const [host = "", port = ""] = text.split(":");
  return { address: host, port: Number(port) };
};

/** Counts the bytes sent to an address from now on. */
function watch({ world }: Stage, isWatched: (to: UdpAddress) => boolean): () => Flight[] {
  const flights: Flight[] = [];
  world.network.onFlight = (flight) => {
    if (isWatched(flight.to)) flights.push(flight);
  };
  return () => flights;
}

const callFor = (endpoints: readonly UdpAddress[]): DiscoMessage => ({
  type: "call-me-maybe",
  endpoints: endpoints.map(toDiscoEndpoint),
});

it("takes no datagram from an address that proved nothing", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const before = one.received.length;
  world.network.send({ from: attacker, to: address(one), datagram: Uint8Array.of(4, 0, 0, 0) });
  await world.clock.advance(100);
  expect(one.received.length).toBe(before);
  world.network.send({
    from: address(other),
    to: address(one),
    datagram: Uint8Array.of(4, 0, 0, 0),
  });
  await world.clock.advance(100);
  expect(one.received.length).toBe(before + 1);
});

it("is not moved by forged messages", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const flights = watch(stage, (to) => to.address === attacker.address);
  const stranger = nobleCrypto.createKeyPair();
  const transactionId = new Uint8Array(12).fill(7);
  const genuine = sealAs(other, one, {
    type: "ping",
    transactionId,
    nodeKey: other.node.publicKey,
  });
  for (let at = 0; at < genuine.length; at += 1) {
    const datagram = genuine.with(at, (genuine[at] ?? 0) ^ 0x10);
    world.network.send({ from: attacker, to: address(one), datagram });
  }
  const sealer = new DiscoSealer(nobleCrypto, stranger);
  sealer.add(one.disco.publicKey);
  const ping = { type: "ping" as const, transactionId, nodeKey: other.node.publicKey };
  const foreign = sealer.seal(one.disco.publicKey, ping, 0) ?? new Uint8Array();
  world.network.send({ from: attacker, to: address(one), datagram: foreign });
  await world.clock.advance(1000);
  expect(flights()).toEqual([]);
  expect(one.pathTo(other)).toBe("udp");
});

it("answers a repeated ping once, and never by more bytes than it has", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const flights = watch(stage, (to) => to.address.startsWith("66."));
  const transactionId = new Uint8Array(12).fill(7);
  const message = { type: "ping" as const, transactionId, nodeKey: other.node.publicKey };
  const datagram = sealAs(other, one, message);
  for (let last = 1; last <= 100; last += 1) {
    const from = { address: `66.0.0.${String(last)}`, port: 666 };
    world.network.send({ from, to: address(one), datagram });
  }
  await one.talk(other, 30);
  const answers = flights().filter((flight) => flight.to.address === "66.0.0.1");
  expect(answers.map((flight) => flight.datagram.length)).toEqual([datagram.length]);
  expect(flights()).toHaveLength(1);
  expect(one.pathTo(other)).toBe("udp");
});

it("does not give up a path that works for one that another claims", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  for (let index = 0; index < 200; index += 1) {
    const transactionId = nobleCrypto.randomBytes(12);
    const message = { type: "ping" as const, transactionId, nodeKey: other.node.publicKey };
    const from = { address: "66.0.0.1", port: 1000 + index };
    world.network.send({ from, to: address(one), datagram: sealAs(other, one, message, 1310) });
  }
  await one.talk(other, 30);
  expect(one.driver.pathOf(other.node.publicKey)).toEqual({ kind: "udp", address: address(other) });
});

it("sends a victim little that a hostile peer calls for", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const flights = watch(stage, (to) => to.address.startsWith("66."));
  const victims = Array.from({ length: 64 }, (_, index) => ({
    address: `66.0.0.${String(index)}`,
    port: 53,
  }));
  for (let second = 0; second < 30; second += 1) {
    for (let index = 0; index < 20; index += 1) {
      one.driver.receiveFromRelay(999, other.node.publicKey, [
        sealAs(other, one, callFor(victims)),
      ]);
    }
    await world.clock.advance(1000);
  }
  expect(new Set(flights().map(({ to }) => to.address)).size).toBeLessThanOrEqual(16);
  expect(flights().length).toBeLessThan(48 + 30 * 8 + 8);
});

it("reads eight calls of a peer at once, and then one in each second", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const flights = watch(stage, (to) => to.address.startsWith("66."));
  // It has sent a call-me-maybe.
  await world.clock.advance(10_000);
  const callAll = (hosts: readonly string[]): void => {
    for (const host of hosts) {
      const call = callFor([{ address: host, port: 53 }]);
      one.driver.receiveFromRelay(999, other.node.publicKey, [sealAs(other, one, call)]);
    }
  };
  const called = (): readonly string[] => [...new Set(flights().map(({ to }) => to.address))];
  const first = Array.from({ length: 20 }, (_, index) => `66.0.0.${String(index)}`);
  callAll(first);
  await world.clock.advance(100);
  expect(called()).toEqual(first.slice(0, 8));
  await world.clock.advance(2_000);
  callAll(["66.0.1.1", "66.0.1.2", "66.0.1.3", "66.0.1.4"]);
  await world.clock.advance(100);
  expect(called().slice(8)).toEqual(["66.0.1.1", "66.0.1.2"]);
});

it("sends nothing to addresses that no peer is at, nor to itself", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const flights = watch(stage, (to) => to.address !== address(other).address);
  const nowhere = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.169.254"].map((host) => ({
    address: host,
    port: 80,
  }));
  const call = callFor([...nowhere, address(one), { address: "fd7a:115c:a1e0::1", port: 4 }]);
  one.driver.receiveFromRelay(999, other.node.publicKey, [sealAs(other, one, call)]);
  const texts = [...nowhere, address(one)].map((to) => `${to.address}:${String(to.port)}`);
  one.driver.setPeer({
    nodeKey: other.node.publicKey,
    discoKey: other.disco.publicKey,
    homeRegionId: 999,
    endpoints: [...texts, "nonsense", "[fe80::1]:5"],
  });
  await world.clock.advance(10_000);
  one.driver.networkChanged();
  one.send(other);
  await world.clock.advance(1000);
  expect(flights().filter(({ to }) => to.address !== address(one).address)).toEqual([]);
  expect(flights().filter(({ from }) => from.address === address(one).address)).toEqual([]);
});

it("takes a call only from the relay, and only of the peer that owns the key", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const third = world.addPeer();
  one.meet(third);
  const flights = watch(stage, (to) => to.address === attacker.address);
  const call = sealAs(other, one, callFor([attacker]));
  world.network.send({ from: address(other), to: address(one), datagram: call });
  one.driver.receiveFromRelay(999, third.node.publicKey, [call]);
  one.driver.receiveFromRelay(999, nobleCrypto.createKeyPair().publicKey, [call]);
  await world.clock.advance(1000);
  expect(flights()).toEqual([]);
  one.driver.receiveFromRelay(999, other.node.publicKey, [call]);
  await world.clock.advance(1000);
  expect(flights()).toHaveLength(1);
});

it("is not confused by a peer that claims the disco key of another", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const thief = world.addPeer();
  one.meet(thief, other.disco.publicKey);
  await one.talk(other, 20);
  expect(one.driver.pathOf(other.node.publicKey)).toEqual({ kind: "udp", address: address(other) });
  expect(one.pathTo(thief)).toBe("relay");
  const { length } = one.received;
  other.send(one);
  await world.clock.advance(100);
  expect(one.received.slice(length).map(({ from }) => from)).toEqual([other.node.publicKey]);
});

it("answers pings over the relay only so often", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  let pongs = 0;
  world.onRelayFlight = ({ packet }) => {
    if (parseDiscoPacket(packet) !== undefined) pongs += 1;
  };
  for (let index = 0; index < 1000; index += 1) {
    const transactionId = nobleCrypto.randomBytes(12);
    const message = { type: "ping" as const, transactionId, nodeKey: other.node.publicKey };
    one.driver.receiveFromRelay(999, other.node.publicKey, [sealAs(other, one, message)]);
  }
  expect(pongs).toBe(64);
  await world.clock.advance(1000);
  expect(one.pathTo(other)).toBe("udp");
});

it("takes no pong from elsewhere than it pinged", async () => {
  await using stage = await connect();
  const { world, one, other } = stage;
  const pongs: Flight[] = [];
  world.network.isBlocked = (flight) => {
    if (flight.from.address === address(other).address) pongs.push(flight);
    return flight.from.address === address(other).address;
  };
  await one.talk(other, 20);
  expect(pongs.length).toBeGreaterThan(0);
  for (const { to, datagram } of pongs) world.network.send({ from: attacker, to, datagram });
  await world.clock.advance(1000);
  expect(one.driver.pathOf(other.node.publicKey)).toEqual({ kind: "relay", regionId: 999 });
});
