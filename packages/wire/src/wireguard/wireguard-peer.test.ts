import { createSeededCrypto } from "@slipway/testkit/crypto";
import { expect, it } from "vitest";

import { openInitiation } from "./handshake.ts";
import {
  createLocalIdentity,
  createRemoteIdentity,
  type LocalIdentity,
  type RemoteIdentity,
} from "./identity.ts";
import { IndexTable } from "./index-table.ts";
import {
  parseHandshakeResponse,
  parseInitiation,
  transportReceiver,
  wireguardMessageKind,
} from "./message.ts";
import { type IndexEntry, WireguardPeer } from "./wireguard-peer.ts";

const crypto = createSeededCrypto(5);

/** One side, and everything that has reached it. */
class End {
  readonly peer: WireguardPeer;
  readonly indices = new IndexTable<IndexEntry>((length) => crypto.randomBytes(length));
  readonly #local: LocalIdentity;
  readonly packets: string[] = [];
  readonly #sealed: Uint8Array[] = [];
  keepAlives = 0;

  constructor(local: LocalIdentity, remote: RemoteIdentity) {
    this.#local = local;
    this.peer = new WireguardPeer({ local, indices: this.indices, unixOffsetMs: 0 }, remote);
  }

  send(text: string, now: number): void {
    const packet = Uint8Array.from(Buffer.from(text));
    const session = this.peer.sessionToSend(now);
    if (session === undefined) {
      this.peer.stage(packet, now);
      return;
    }
    this.#sealed.push(session.sealPacket(packet));
    this.peer.sent(now);
  }

  takeOutput(): Uint8Array[] {
    return [...this.peer.takeOutput(), ...this.#sealed.splice(0)];
  }

  receive(message: Uint8Array, now: number): boolean {
    switch (wireguardMessageKind(message)) {
      case "initiation": {
        const opened = openInitiation(this.#local, parseInitiation(message));
        return opened !== undefined && this.peer.receiveInitiation(opened, now);
      }
      case "response":
        return this.peer.receiveResponse(parseHandshakeResponse(message), now);
      case "transport":
        return this.#receivePacket(message.slice(), now);
      case "cookie-reply":
      case undefined:
        return false;
    }
  }

  #receivePacket(message: Uint8Array, now: number): boolean {
    const session = this.indices.get(transportReceiver(message))?.session;
    if (session?.isUsable(now) !== true || !session.open(message)) return false;
    const packet = message.subarray(16, -16);
    this.peer.received(session, packet.length > 0, now);
    if (packet.length === 0) this.keepAlives += 1;
    else this.packets.push(Buffer.from(packet).toString().replaceAll("\0", ""));
    return true;
  }
}

function openPair(): readonly [End, End] {
  const [one, other] = [1, 2].map((byte) =>
    createLocalIdentity(crypto, new Uint8Array(32).fill(byte)),
  );
  if (one === undefined || other === undefined) throw new Error("no identity");
  const toOther = createRemoteIdentity(one, other.keys.publicKey);
  const toOne = createRemoteIdentity(other, one.keys.publicKey);
  if (toOther === undefined || toOne === undefined) throw new Error("no identity");
  return [new End(one, toOther), new End(other, toOne)];
}

/** Passes on both sides' output until there is none. */
function settle([one, other]: readonly [End, End], now: number): void {
  for (;;) {
    const toOther = one.takeOutput();
    const toOne = other.takeOutput();
    if (toOther.length === 0 && toOne.length === 0) return;
    for (const message of toOther) other.receive(message, now);
    for (const message of toOne) one.receive(message, now);
  }
}

function kinds(messages: readonly Uint8Array[]) {
  return messages.map((message) => wireguardMessageKind(message));
}

it("sends what has waited for the handshake, then both ways", () => {
  const pair = openPair();
  const [one, other] = pair;
  one.send("a", 0);
  one.send("b", 0);
  settle(pair, 0);
  other.send("c", 1);
  settle(pair, 1);
  expect(other.packets).toEqual(["a", "b"]);
  expect(one.packets).toEqual(["c"]);
  expect([one.keepAlives, other.keepAlives]).toEqual([0, 0]);
  expect([one.peer.lastHandshakeAt, other.peer.lastHandshakeAt]).toEqual([0, 0]);
});

it("confirms a session without data", () => {
  const pair = openPair();
  const [one, other] = pair;
  one.peer.initiate(0);
  settle(pair, 0);
  expect(other.keepAlives).toBe(1);
  expect(other.peer.sessionToSend(0)).toBeDefined();
});

it("sends nothing in a session that it has answered before the peer does", () => {
  const [one, other] = openPair();
  one.peer.initiate(0);
  for (const message of one.takeOutput()) other.receive(message, 0);
  expect(other.peer.sessionToSend(0)).toBeUndefined();
  expect(kinds(other.takeOutput())).toEqual(["response"]);
});

it("begins a handshake once in five seconds, and gives up after twenty", () => {
  const [one] = openPair();
  const times: number[] = [];
  one.send("a", 0);
  for (let now = 0; now < 200_000; now += 1) {
    if (now % 100 === 0 && now < 50_000) one.send("b", now);
    if (one.peer.nextWake <= now) one.peer.tick(now);
    if (one.takeOutput().length > 0) times.push(now);
  }
  expect(times).toHaveLength(20);
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  for (const gap of gaps) {
    expect(gap).toBeGreaterThanOrEqual(5000);
    expect(gap).toBeLessThanOrEqual(5334);
  }
  expect(one.peer.stagedPackets).toBe(0);
  expect(one.indices.size).toBe(0);
  one.send("c", 300_000);
  expect(kinds(one.takeOutput())).toEqual(["initiation"]);
});

it("lets 128 packets wait, and drops the oldest for more", () => {
  const pair = openPair();
  const [one, other] = pair;
  for (let count = 0; count < 1000; count += 1) one.send(String(count), 0);
  expect(one.peer.stagedPackets).toBe(128);
  settle(pair, 0);
  expect(other.packets).toHaveLength(128);
  expect([other.packets[0], other.packets.at(-1)]).toEqual(["872", "999"]);
});

it("lets no more bytes wait than 128 packets of 1280 bytes have", () => {
  const pair = openPair();
  const [one, other] = pair;
  for (let count = 0; count < 100; count += 1) one.send(String(count).padEnd(16_384), 0);
  expect(one.peer.stagedPackets).toBe(10);
  settle(pair, 0);
  expect(other.packets.map((packet) => packet.trimEnd())).toEqual(
    Array.from({ length: 10 }, (_, at) => String(90 + at)),
  );
  for (let count = 0; count < 200; count += 1) one.send("again", 1);
  settle(pair, 1);
  expect(other.packets).toHaveLength(210);
});

it("answers an initiation once, and no older or hasty one", () => {
  const [one, other] = openPair();
  one.peer.initiate(0);
  const [first] = one.takeOutput();
  one.peer.initiate(6000);
  const [second] = one.takeOutput();
  one.peer.initiate(12_000);
  const [third] = one.takeOutput();
  if (first === undefined || second === undefined || third === undefined) throw new Error("none");
  expect(other.receive(second, 100)).toBe(true);
  expect(other.receive(second, 200)).toBe(false);
  expect(other.receive(first, 300)).toBe(false);
  expect(other.receive(third, 119)).toBe(false);
  expect(other.receive(third, 120)).toBe(true);
  expect(kinds(other.takeOutput())).toEqual(["response", "response"]);
  expect(other.indices.size).toBe(1);
});

it("takes no response twice, nor one to an initiation that it has replaced", () => {
  const [one, other] = openPair();
  one.peer.initiate(0);
  for (const message of one.takeOutput()) other.receive(message, 0);
  const [late] = other.takeOutput();
  one.peer.initiate(6000);
  for (const message of one.takeOutput()) other.receive(message, 6000);
  const [answer] = other.takeOutput();
  if (late === undefined || answer === undefined) throw new Error("none");
  expect(one.receive(late, 6000)).toBe(false);
  expect(one.receive(answer, 6000)).toBe(true);
  expect(one.receive(answer, 6000)).toBe(false);
});

it("comes to a session when both begin at once", () => {
  const pair = openPair();
  const [one, other] = pair;
  one.send("a", 0);
  other.send("b", 0);
  settle(pair, 0);
  one.send("c", 1);
  other.send("d", 1);
  settle(pair, 1);
  expect(other.packets).toEqual(["a", "c"]);
  expect(one.packets).toEqual(["b", "d"]);
});

it("forgets its keys nine minutes after the last were derived", () => {
  const pair = openPair();
  const [one] = pair;
  one.peer.initiate(0);
  settle(pair, 0);
  expect(one.indices.size).toBe(1);
  one.peer.tick(540_000);
  expect(one.indices.size).toBe(0);
});
