import { systemClock } from "@slipway/runtime";
import { parseDiscoPacket } from "@slipway/wire/disco/packet";
import { expect, it, onTestFinished } from "vitest";

import { PathWorld } from "../../tests/support/path-world.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";
import type { DatagramReceiver } from "./datagram-socket.ts";
import { DiscoSealer } from "./disco-sealer.ts";
import { PathDriver } from "./path-driver.ts";
import type { UdpAddress } from "./udp-address.ts";

const { signal } = new AbortController();
const hosts = ["20.0.0.1", "20.0.0.2"] as const;

it("carries datagrams over the relay without a socket", async () => {
  await using world = new PathWorld();
  const one = world.addPeer();
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  world.introduce(one, other);
  await one.talk(other, 2);
  expect([one.pathTo(other), other.pathTo(one)]).toEqual(["relay", "relay"]);
  expect(other.received).toHaveLength(20);
  expect(other.received[0]).toEqual({ byte: 4, from: one.node.publicKey });
  expect(other.proven).toBe(20);
});

it("says that an address proves nothing about the sender", async () => {
  await using world = new PathWorld();
  const [one, other] = hosts.map((address) => world.addPeer(world.network.addHost({ address })));
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 2);
  expect(one.pathTo(other)).toBe("udp");
  const before = { received: other.received.length, proven: other.proven };
  await one.talk(other, 1);
  expect(other.received.length).toBe(before.received + 10);
  expect(other.proven).toBe(before.proven);
});

it("answers a ping over the relay without a socket, and is answered", async () => {
  await using world = new PathWorld();
  const one = world.addPeer();
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  world.introduce(one, other);
  const pings = [
    one.driver.ping(other.node.publicKey, signal),
    other.driver.ping(one.node.publicKey, signal),
  ];
  await world.clock.advance(100);
  const answer = { latencyMs: 80, via: { kind: "relay", regionId: 999 } };
  expect(await Promise.all(pings)).toEqual([answer, answer]);
});

it("pings on all paths at once, and takes the first answer", async () => {
  await using world = new PathWorld();
  const [one, other] = hosts.map((address) => world.addPeer(world.network.addHost({ address })));
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  await world.clock.advance(10);
  world.introduce(one, other);
  const ping = one.driver.ping(other.node.publicKey, signal);
  await world.clock.advance(100);
  const address = { address: hosts[1], port: 41_641 };
  expect(await ping).toEqual({ latencyMs: 20, via: { kind: "udp", address } });
});

it("pings again until the peer is there", async () => {
  await using world = new PathWorld();
  const one = world.addPeer();
  const other = world.addPeer();
  one.meet(other);
  const ping = one.driver.ping(other.node.publicKey, signal);
  await world.clock.advance(12_000);
  other.meet(one);
  await world.clock.advance(4000);
  expect(await ping).toMatchObject({ latencyMs: 80 });
});

it("ends a ping by its signal, with the peer and with the driver", async () => {
  await using world = new PathWorld();
  const one = world.addPeer();
  const [other, another] = [world.addPeer(), world.addPeer()];
  one.meet(other);
  one.meet(another);
  const controller = new AbortController();
  const aborted = one.driver.ping(other.node.publicKey, controller.signal);
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  const removed = one.driver.ping(other.node.publicKey, signal);
  one.driver.removePeer(other.node.publicKey);
  await expect(removed).rejects.toMatchObject({ code: "peer-removed", retryable: true });
  const reset = one.driver.ping(another.node.publicKey, signal);
  one.meet(another, other.disco.publicKey);
  await expect(reset).rejects.toMatchObject({ code: "peer-removed" });
  const closed = one.driver.ping(another.node.publicKey, signal);
  await one.driver.close();
  await expect(closed).rejects.toMatchObject({ code: "closed", retryable: false });
  await expect(one.driver.ping(another.node.publicKey, signal)).rejects.toMatchObject({
    code: "closed",
  });
});

it("refuses to ping a stranger, or one peer too often", async () => {
  await using world = new PathWorld();
  const one = world.addPeer();
  const other = world.addPeer();
  const ping = (): Promise<unknown> => one.driver.ping(other.node.publicKey, signal);
  await expect(ping()).rejects.toMatchObject({ code: "unknown-peer" });
  one.meet(other);
  const waiting = Array.from({ length: 32 }, () => ping());
  await expect(ping()).rejects.toMatchObject({ code: "too-many-pings", retryable: true });
  one.driver.removePeer(other.node.publicKey);
  expect((await Promise.allSettled(waiting)).every(({ status }) => status === "rejected")).toBe(
    true,
  );
});

it("goes back to the relay when the peer begins anew, and finds it again", async () => {
  await using world = new PathWorld();
  const [one, other] = hosts.map((address) => world.addPeer(world.network.addHost({ address })));
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 1);
  expect(one.pathTo(other)).toBe("udp");
  one.meet(other, nobleCrypto.createKeyPair().publicKey);
  expect(one.pathTo(other)).toBe("relay");
  await one.talk(other, 8);
  expect(one.pathTo(other)).toBe("relay");
  one.meet(other);
  await one.talk(other, 1);
  expect(one.pathTo(other)).toBe("udp");
});

it("goes back to the relay when the network changed, and publishes where it is now", async () => {
  await using world = new PathWorld();
  const socket = world.network.addHost({ address: hosts[0] });
  const one = world.addPeer(socket);
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 1);
  world.network.move(socket, "20.0.0.3");
  one.driver.networkChanged();
  expect(one.pathTo(other)).toBe("relay");
  await one.talk(other, 1);
  expect([one.pathTo(other), other.driver.pathOf(one.node.publicKey)]).toEqual([
    "udp",
    { kind: "udp", address: { address: "20.0.0.3", port: 41_641 } },
  ]);
  expect(one.endpoints).toEqual(["20.0.0.3:41641"]);
});

it("notices within two seconds that the machine has another address", async () => {
  await using world = new PathWorld();
  const socket = world.network.addHost({ address: hosts[0] });
  const one = world.addPeer(socket);
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 10);
  world.network.move(socket, "20.0.0.3");
  await one.talk(other, 2);
  expect(one.networkChanges).toBe(1);
  expect(one.endpoints).toEqual(["20.0.0.3:41641"]);
  const address = { address: "20.0.0.3", port: 41_641 };
  expect([one.pathTo(other), other.driver.pathOf(one.node.publicKey)]).toEqual([
    "udp",
    { kind: "udp", address },
  ]);
});

it("takes the direct path again within two seconds after the machine was without an address", async () => {
  await using world = new PathWorld();
  const socket = world.network.addHost({ address: hosts[0] });
  const one = world.addPeer(socket);
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 10);
  world.network.unplug(socket);
  await one.talk(other, 20);
  expect(one.pathTo(other)).toBe("relay");
  world.network.plug(socket);
  await one.talk(other, 2);
  expect([one.pathTo(other), other.pathTo(one)]).toEqual(["udp", "udp"]);
  expect(one.networkChanges).toBe(2);
});

it("looks at the machine's addresses only while data flows", async () => {
  await using world = new PathWorld();
  const socket = world.network.addHost({ address: hosts[0] });
  const one = world.addPeer(socket);
  const other = world.addPeer(world.network.addHost({ address: hosts[1] }));
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 10);
  expect(socket.looks).toBeGreaterThanOrEqual(10);
  await world.clock.advance(60_000);
  const before = socket.looks;
  await world.clock.advance(600_000);
  expect(socket.looks).toBe(before);
});

it("sends nothing of its own accord to a peer without data for it", async () => {
  await using world = new PathWorld();
  const [one, other] = hosts.map((address) => world.addPeer(world.network.addHost({ address })));
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  await world.clock.advance(10);
  world.introduce(one, other);
  await one.talk(other, 1);
  await world.clock.advance(60_000);
  let flights = 0;
  world.network.onFlight = () => (flights += 1);
  world.onRelayFlight = () => (flights += 1);
  await world.clock.advance(600_000);
  expect(flights).toBe(0);
  one.send(other);
  await world.clock.advance(100);
  expect(one.pathTo(other)).toBe("udp");
});

it("pads pings over UDP so that a path that carries them carries all", async () => {
  await using world = new PathWorld();
  const [one, other] = hosts.map((address) => world.addPeer(world.network.addHost({ address })));
  if (one === undefined || other === undefined) throw new Error("wanted two peers");
  await world.clock.advance(10);
  world.introduce(one, other);
  const sizes = new Set<number>();
  world.network.isBlocked = ({ datagram }) => {
    if (parseDiscoPacket(datagram) !== undefined) sizes.add(datagram.length);
    return datagram.length > 1300;
  };
  await one.talk(other, 10);
  expect([...sizes]).toEqual([1310]);
  expect(one.pathTo(other)).toBe("relay");
});

it("lets what it receives wait for its turn, from relays and addresses alike", () => {
  const key = new Uint8Array(32).fill(7);
  const address = { address: hosts[1], port: 41_641 };
  const next: (() => void)[] = [];
  let isOver = true;
  let receive: DatagramReceiver | undefined;
  const delivered: (readonly Uint8Array[])[] = [];
  const answered: UdpAddress[] = [];
  const [discoKeys, theirs] = [nobleCrypto.createKeyPair(), nobleCrypto.createKeyPair()];
  const driver = new PathDriver({
    nodeKey: new Uint8Array(32).fill(1),
    discoKeys,
    crypto: nobleCrypto,
    clock: systemClock,
    relaySend: () => undefined,
    deliver: (datagrams) => void delivered.push(datagrams),
    socket: {
      ports: { ipv4: 1, ipv6: undefined },
      localAddresses: () => [],
      lookup: async () => [],
      send: (_, to) => void answered.push(to),
      onDatagrams: (receiver) => (receive = receiver),
    },
    receiveTurn: {
      get isOver() {
        return isOver;
      },
      next: (act) => void next.push(act),
    },
  });
  onTestFinished(() => driver.close());
  driver.setPeer({ nodeKey: key, discoKey: theirs.publicKey, homeRegionId: 1, endpoints: [] });
  const packets = Array.from({ length: 200 }, () => new Uint8Array(13));
  const sealer = new DiscoSealer(nobleCrypto, theirs);
  sealer.add(discoKeys.publicKey);
  const transactionId = new Uint8Array(12);
  const ping = { type: "ping", transactionId, nodeKey: key } as const;
  const datagram = sealer.seal(discoKeys.publicKey, ping, 0);
  driver.receiveFromRelay(1, key, packets);
  receive?.(datagram === undefined ? [] : [datagram], address);
  expect([delivered, answered]).toEqual([[], []]);
  isOver = false;
  for (const act of next.splice(0)) act();
  expect(delivered.flat()).toHaveLength(200);
  expect(answered).toContainEqual(address);
  isOver = true;
  driver.receiveFromRelay(1, new Uint8Array(32).fill(8), packets);
  expect(next).toEqual([]);
});
