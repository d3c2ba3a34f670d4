import { UnfinishedBytes } from "@slipway/runtime";
import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { expect, it } from "vitest";

import { ScriptedClient } from "../tests/support/scripted-client.ts";
import { openTestRelay } from "../tests/support/test-relay.ts";
import { sodiumCrypto } from "./crypto.ts";

const packet = new Uint8Array(1280);

it.each([
  ["a packet above 64 KiB", "0400010041"],
  ["a frame of 4 GiB", "04ffffffff"],
  ["an unknown frame of 4 GiB", "7fffffffff"],
  ["a packet without a whole key", `040000001f${"00".repeat(31)}`],
  ["a home region of two bytes", "07000000020101"],
  ["a ping of seven bytes", "120000000700000000000000"],
  ["a ping of 1,001 bytes", `12000003e9${"00".repeat(1001)}`],
])("closes a client that sends %s", (_, hex) => {
  const { relay } = openTestRelay();
  const client = new ScriptedClient(relay).login();
  client.sendBytes(parseHex(hex));
  expect(client.isOpen).toBe(false);
  expect(relay.counters).toMatchObject({ clients: 0, closed: { "protocol-error": 1 } });
});

it("carries a packet of 64 KiB", () => {
  const { relay } = openTestRelay();
  const [ann, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  ann.sendPacket(bob, new Uint8Array(65_536).fill(65));
  expect(bob.packets).toEqual([[ann.key, "A".repeat(65_536)]]);
});

it.each([
  ["another frame first", () => parseHex("0600000000")],
  ["a packet first", () => parseHex(`0400000020${"01".repeat(32)}`)],
  ["a login of more than 16 KiB", () => parseHex("0200004001")],
  ["a login that is too short", () => parseHex(`0200000038${"01".repeat(56)}`)],
  ["the key of zeros", () => parseHex(`0200000068${"00".repeat(104)}`)],
  [
    "a box for another relay",
    (client: ScriptedClient) => client.loginBytes(sodiumCrypto.createKeyPair().publicKey),
  ],
  [
    "a changed box",
    (client: ScriptedClient) => {
      const bytes = Uint8Array.from(client.loginBytes());
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      return bytes;
    },
  ],
])("refuses a login with %s", (_, login) => {
  const { relay } = openTestRelay();
  const client = new ScriptedClient(relay);
  client.sendBytes(login(client));
  expect(client.isOpen).toBe(false);
  expect(relay.counters).toMatchObject({ clients: 0, logins: 0 });
});

it("refuses the key of somebody else, of whom only the public key is known", () => {
  const { relay } = openTestRelay();
  const victim = new ScriptedClient(relay).login();
  const { privateKey } = sodiumCrypto.createKeyPair();
  const keys = { publicKey: victim.keys.publicKey, privateKey };
  const thief = new ScriptedClient(relay, { keys }).login();
  expect(thief.isOpen).toBe(false);
  const ann = new ScriptedClient(relay).login();
  ann.sendPacket(victim, "for the owner of the key");
  expect(victim.packets).toHaveLength(1);
});

it("refuses a login that was recorded on another connection", () => {
  const { relay } = openTestRelay();
  const victim = new ScriptedClient(relay);
  const recorded = victim.loginBytes();
  victim.sendBytes(recorded);
  expect(victim.isOpen).toBe(true);
  const replay = new ScriptedClient(relay);
  replay.sendBytes(recorded);
  expect(replay.isOpen).toBe(false);
});

it("names the sender by the key it logged in with, whatever it sends", () => {
  const { relay } = openTestRelay();
  const [mallory, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  const forged = new Uint8Array(32).fill(1);
  mallory.send({ type: "recv-packet", source: forged, packet });
  mallory.sendPacket(bob, "signed");
  expect(bob.packets).toEqual([[mallory.key, "signed"]]);
  mallory.send({
    type: "forward-packet",
    source: forged,
    destination: bob.keys.publicKey,
    packet,
  });
  expect(mallory.isOpen).toBe(false);
  expect(bob.packets).toHaveLength(1);
});

it("gives up a login that stops halfway, and one that comes byte by byte", async () => {
  const { relay, clock } = openTestRelay();
  const silent = new ScriptedClient(relay);
  const slow = new ScriptedClient(relay);
  for (const byte of slow.loginBytes().subarray(0, 12)) {
    slow.sendBytes(Uint8Array.of(byte));
    await clock.advance(1000);
  }
  expect([silent.isOpen, slow.isOpen]).toEqual([false, false]);
  expect(relay.counters.closed["login-timeout"]).toBe(2);
});

it("lets a client take its time for a frame", async () => {
  const { relay, clock } = openTestRelay();
  const [slow, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  const frame = parseHex(`0400000024${encodeHex(bob.keys.publicKey)}736c6f77`);
  for (const byte of frame) {
    slow.sendBytes(Uint8Array.of(byte));
    await clock.advance(1000);
  }
  expect(bob.packets).toEqual([[slow.key, "slow"]]);
});

it("closes a client whose frame is not complete in time, and none that completes its frames", async () => {
  const { relay, clock } = openTestRelay();
  const [slow, steady] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  const half = parseHex(`0400000024${encodeHex(steady.keys.publicKey)}`);
  slow.sendBytes(half);
  for (let count = 0; count < 10; count += 1) {
    // Each chunk ends in the middle of the next frame.
    steady.sendBytes(Uint8Array.from([...parseHex(count === 0 ? "" : "61626364"), ...half]));
    await clock.advance(7_000);
  }
  expect([slow.isOpen, steady.isOpen, steady.packets.length]).toEqual([false, true, 9]);
  expect(relay.counters.closed["unfinished-frame"]).toBe(1);
});

it("counts the frames that are not complete with all else that the process holds", () => {
  const limits = { maxBytes: 100_000, timeoutMs: 60_000 };
  const unfinished = new UnfinishedBytes(limits);
  const { relay } = openTestRelay({ unfinished });
  const [ann, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  const part = Uint8Array.from([...parseHex("0400010000"), ...new Uint8Array(60_000)]);
  ann.sendBytes(part);
  expect([ann.isOpen, unfinished.bytes]).toEqual([true, part.length]);
  bob.sendBytes(part.subarray(0, 50_000));
  expect([ann.isOpen, bob.isOpen, unfinished.bytes]).toEqual([false, true, 50_000]);
  bob.disconnect();
  expect(unfinished.bytes).toBe(0);
});

it("holds a bounded number of bytes for a client that never reads, drops the oldest, and closes it", async () => {
  const { relay, clock } = openTestRelay({ limits: { maxQueuedBytesPerClient: 100_000 } });
  const [ann, stuck, bob] = [1, 2, 3].map(() => new ScriptedClient(relay).login());
  if (ann === undefined || stuck === undefined || bob === undefined) return;
  stuck.stopReading();
  for (let count = 0; count < 10_000; count += 1) {
    ann.sendPacket(stuck, `${count}`.padEnd(1280));
    expect(relay.counters.queuedBytes).toBeLessThan(100_000 + 70_000);
  }
  ann.sendPacket(bob, "not held up");
  expect(bob.packets).toHaveLength(1);
  expect(relay.counters.droppedPackets.queueFull).toBeGreaterThan(9_800);
  stuck.startReading();
  expect(stuck.packets.at(-1)?.[1].trim()).toBe("9999");
  stuck.stopReading();
  ann.sendPacket(stuck, "unread");
  await clock.advance(12_000);
  expect(stuck.isOpen).toBe(false);
  expect(relay.counters).toMatchObject({ queuedBytes: 0, closed: { "unread-output": 1 } });
});

it("holds a bounded number of bytes for many clients that never read", () => {
  const maxQueuedBytes = 1_000_000;
  const { relay } = openTestRelay({ limits: { maxQueuedBytes } });
  const ann = new ScriptedClient(relay).login();
  const stuck = Array.from({ length: 50 }, () => new ScriptedClient(relay).login());
  for (const one of stuck) one.stopReading();
  for (let count = 0; count < 200; count += 1) {
    for (const one of stuck) ann.sendPacket(one, packet);
  }
  // Each may have a little, regardless of their number.
  expect(relay.counters.queuedBytes).toBeLessThan(maxQueuedBytes + 50 * 10_000);
});

it("carries long packets to who reads while those who do not have taken all room", () => {
  const { relay } = openTestRelay({ limits: { maxQueuedBytes: 1_000_000 } });
  const [ann, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  const stuck = Array.from({ length: 50 }, () => new ScriptedClient(relay).login());
  for (const one of stuck) one.stopReading();
  for (let count = 0; count < 200; count += 1) {
    for (const one of stuck) ann.sendPacket(one, packet);
  }
  const before = relay.counters.queuedBytes;
  // The longest packet of a peer, encrypted (docs/decisions/packet-length.md).
  const long = new Uint8Array(16_384 + 32);
  for (let count = 0; count < 10; count += 1) ann.sendPacket(bob, long);
  expect(bob.packets).toHaveLength(10);
  // A client that does not read keeps the newest packets.
  const [first] = stuck;
  for (let count = 0; count < 10; count += 1) ann.sendPacket(first ?? bob, long);
  expect(relay.counters.queuedBytes).toBeLessThan(before + 20_000);
  first?.startReading();
  expect(first?.packets.at(-1)?.[1]).toHaveLength(long.length);
});

it("counts tiny packets by what it costs to keep them", () => {
  const { relay } = openTestRelay({ limits: { maxQueuedBytesPerClient: 100_000 } });
  const [ann, stuck] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  stuck.stopReading();
  for (let count = 0; count < 5_000; count += 1) ann.sendPacket(stuck, "");
  stuck.startReading();
  expect(stuck.packets.length).toBeLessThan(400);
});

it("delivers the packets of others while one floods a client", () => {
  const { relay } = openTestRelay({ limits: { maxQueuedBytesPerClient: 100_000 } });
  const [flood, ann, victim] = [1, 2, 3].map(() => new ScriptedClient(relay).login());
  if (flood === undefined || ann === undefined || victim === undefined) return;
  victim.stopReading();
  for (let count = 0; count < 1_000; count += 1) {
    flood.sendPacket(victim, packet);
    if (count % 50 === 0) ann.sendPacket(victim, `ann ${count}`);
  }
  victim.startReading();
  const heard = victim.packets.filter(([key]) => key === ann.key);
  expect(heard).toHaveLength(20);
  // Ann's packets do not wait behind the flood's whole queue.
  const behind = victim.packets.findLastIndex(([key]) => key === ann.key);
  expect(behind).toBeLessThan(50);
});

it("delivers a flooding client's own messages about paths", () => {
  const { relay } = openTestRelay({ limits: { maxQueuedBytesPerClient: 50_000 } });
  const [flood, victim] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  const disco = Uint8Array.from([...parseHex("5453f09f92ac"), ...new Uint8Array(60)]);
  victim.stopReading();
  flood.sendPacket(victim, disco);
  for (let count = 0; count < 500; count += 1) flood.sendPacket(victim, packet);
  victim.startReading();
  expect(victim.packets.some(([, text]) => text.length < 100)).toBe(true);
});

it("drops answers to a client that pings and does not read", () => {
  const { relay } = openTestRelay();
  const client = new ScriptedClient(relay).login();
  client.stopReading();
  for (let count = 0; count < 20_000; count += 1) {
    client.send({ type: "ping", data: new Uint8Array(8) });
  }
  expect(relay.counters.queuedBytes).toBeLessThan(40_000);
});

it("forgets to whom a client has sent packets when it leaves", () => {
  const { relay } = openTestRelay();
  const [ann, ...others] = Array.from({ length: 4 }, () => new ScriptedClient(relay).login());
  for (const other of [...others, ...others]) ann?.sendPacket(other, packet);
  others[0]?.sendPacket(others[1] ?? new Uint8Array(32), packet);
  expect(relay.counters.rememberedPairs).toBe(4);
  ann?.disconnect();
  expect(relay.counters.rememberedPairs).toBe(1);
});

it("closes the oldest of more than eight connections of a key", () => {
  const { relay } = openTestRelay();
  const first = new ScriptedClient(relay).login();
  const { keys } = first;
  const others = Array.from({ length: 8 }, () => new ScriptedClient(relay, { keys }).login());
  expect(first.isOpen).toBe(false);
  expect(others.every(({ isOpen }) => isOpen)).toBe(true);
  expect(relay.counters).toMatchObject({ clients: 8, closed: { "too-many-connections": 1 } });
});

it("lets a client that sends more than its share wait", async () => {
  const { relay, clock } = openTestRelay({ limits: { maxBytesPerSecond: 60_000 } });
  const [ann, bob] = [new ScriptedClient(relay).login(), new ScriptedClient(relay).login()];
  for (let count = 0; count < 15; count += 1) ann.sendPacket(bob, packet);
  expect(ann.isPaused).toBe(true);
  await clock.advance(1_000);
  expect(ann.isPaused).toBe(false);
  // Packets sent before are not lost.
  expect(bob.packets).toHaveLength(15);
});

it("ends a client's session once, however it ends", () => {
  const { relay } = openTestRelay();
  const client = new ScriptedClient(relay).login();
  client.sendBytes(parseHex("04ffffffff"));
  client.disconnect();
  client.sendPacket(client, "after the end");
  expect(relay.counters).toMatchObject({ clients: 0, packets: 0 });
});
