import { TcpPair } from "@slipway/testkit/links";
import type { LinkOptions } from "@slipway/testkit/links";
import fc from "fast-check";
import { expect, it } from "vitest";

import { ScriptedPeer } from "../../tests/support/scripted-peer.ts";
import type { Heard } from "../../tests/support/scripted-peer.ts";

const hour = 3_600_000;
const largeMtu = 16_384;
const smallMtu = 1280;
/** The payload of the smallest full packet with timestamps. */
const smallBytes = smallMtu - 72;

const anyMtu = fc.constantFrom(smallMtu, 1440, 8832, largeMtu);

/** A change of the path after part of the data was sent. A silent change is not reported at first. */
const anyChange = fc.record({
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  mtu: anyMtu,
  silentMs: fc.constantFrom(0, 0, 40, 3000),
});

/** Mostly less than the first window, and up to more than two: run time grows with the bytes. */
const anySize = fc.oneof({ weight: 2, arbitrary: fc.nat(100_000) }, fc.nat(600_000));

const anyLink: fc.Arbitrary<LinkOptions> = fc.record({
  delayMs: fc.constantFrom(0.1, 5, 50),
  bytesPerMs: fc.constantFrom(2000, 125_000),
  queuePackets: fc.constantFrom(8, 256),
  lossRate: fc.constantFrom(0, 0.01, 0.1),
  duplicateRate: fc.constantFrom(0, 0.05),
  lateRate: fc.constantFrom(0, 0.05),
  lateMs: fc.constantFrom(1, 30),
});

it("delivers the same bytes in order, however the path changes on the way", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(1000),
        sizes: fc.tuple(anySize, anySize),
        link: anyLink,
        changes: fc.array(anyChange, { minLength: 1, maxLength: 6 }),
        toleratesNoise: fc.boolean(),
      }),
      ({ seed, sizes: [up, down], link, changes, toleratesNoise }) => {
        const pair = new TcpPair({
          seed,
          link,
          mtu: largeMtu,
          client: { sendBytes: up },
          server: { sendBytes: down },
          tcp: { toleratesNoise, userTimeoutMs: hour },
        });
        const { client, server } = pair;
        const isOver = (): boolean => client.isOver && server.isOver;
        for (const { share, mtu, silentMs } of changes.toSorted((a, b) => a.share - b.share)) {
          const bytes = share * (up + down);
          pair.run(() => isOver() || client.read + server.read >= bytes, hour);
          pair.changePath(mtu, true);
          const toldAt = pair.now + silentMs;
          pair.run(() => isOver() || pair.now >= toldAt, silentMs);
          pair.changePath(mtu);
        }
        expect(pair.run(isOver, hour)).toBe(true);
        expect([client.isSpoilt, server.isSpoilt]).toEqual([false, false]);
        expect([server.read, client.read]).toEqual([up, down]);
      },
    ),
    { numRuns: 60 },
  );
});

it("gets through a path that has begun to swallow large packets, though nobody says so", () => {
  const pair = new TcpPair({
    seed: 3,
    link: { delayMs: 10, bytesPerMs: 12_500 },
    mtu: largeMtu,
    client: { sendBytes: 3_000_000 },
    server: { sendBytes: 0 },
  });
  pair.run(() => pair.server.read > 1_000_000, hour);
  pair.changePath(smallMtu, true);
  const cutAt = pair.now;
  pair.run(() => pair.server.isPeerFinished, hour);
  expect([pair.server.isSpoilt, pair.server.read]).toEqual([false, 3_000_000]);
  expect(pair.now - cutAt).toBeLessThan(3000);
});

it("fills a path with large packets once it takes them", () => {
  const pair = new TcpPair({
    seed: 4,
    link: { delayMs: 1, bytesPerMs: 100_000 },
    mtu: largeMtu,
    client: { sendBytes: 4_000_000 },
    server: { sendBytes: 0 },
  });
  pair.changePath(smallMtu);
  pair.run(() => pair.server.read > 2_000_000, hour);
  const small = pair.toServer.counts.sent;
  pair.changePath(largeMtu);
  pair.run(() => pair.server.isPeerFinished, hour);
  expect(small).toBeGreaterThan(2_000_000 / smallBytes);
  expect(pair.toServer.counts.sent - small).toBeLessThan(200);
  expect(pair.server.isSpoilt).toBe(false);
});

it("acknowledges every second segment, large or small", () => {
  const pair = new TcpPair({
    seed: 5,
    link: { delayMs: 5, bytesPerMs: 10_000 },
    mtu: largeMtu,
    client: { sendBytes: 3_000_000 },
    server: { sendBytes: 0, staysOpen: true },
    tcp: { maxReceiveBytes: 256_000 },
  });
  const acksPerSegment = (bytes: number): number => {
    const [segments, acks] = [pair.toServer.counts.sent, pair.toClient.counts.sent];
    pair.run(() => pair.server.read >= bytes, hour);
    return (pair.toClient.counts.sent - acks) / (pair.toServer.counts.sent - segments);
  };
  acksPerSegment(500_000);
  expect(acksPerSegment(1_500_000)).toBeGreaterThan(0.4);
  pair.changePath(smallMtu);
  acksPerSegment(2_000_000);
  expect(acksPerSegment(3_000_000)).toBeGreaterThan(0.4);
});

const rttMs = 100;

/** Connects to a peer that accepts large segments, over a path that carries them at first. */
function connect(mss = largeMtu - 60): ScriptedPeer {
  const peer = ScriptedPeer.calling({ mss }, { toleratesNoise: false }, largeMtu - 60);
  peer.hear();
  peer.now += rttMs;
  peer.say({});
  peer.connection.takeEvents();
  return peer;
}

function ranges(heard: readonly Heard[]): readonly (readonly [number, number])[] {
  return heard.filter(({ length }) => length > 0).map(({ at, length }) => [at, at + length]);
}

it("sends no more at first than two large segments", () => {
  const peer = connect();
  peer.connection.write(new Uint8Array(200_000), peer.now);
  const full = largeMtu - 60;
  expect(ranges(peer.wait(60))).toEqual([
    [1, 1 + full],
    [1 + full, 1 + 2 * full],
  ]);
});

it("cuts a lost segment that the path does not take any more, and the rest of it is lost too", () => {
  const peer = connect();
  peer.connection.write(new Uint8Array(20_000), peer.now);
  const [first = [0, 0], second = [0, 0]] = ranges(peer.wait(60));
  expect(first[1] - first[0]).toBe(largeMtu - 60);
  peer.connection.limitSegments(smallMtu - 60);
  peer.wait(rttMs - 60);
  peer.say({ ack: 1, sacks: second });
  const again = ranges(peer.wait(2 * rttMs));
  expect(again.length).toBeGreaterThan(1);
  for (const [start, end] of again) expect(end - start).toBeLessThanOrEqual(smallMtu - 60);
  expect(again[0]?.[0]).toBe(1);
});

it("believes a peer neither a huge nor a tiny size of its segments", () => {
  const huge = connect(65_535);
  huge.connection.write(new Uint8Array(100_000), huge.now);
  for (const [start, end] of ranges(huge.wait(60)))
    expect(end - start).toBeLessThanOrEqual(largeMtu - 60);
  const tiny = connect(1);
  tiny.connection.limitSegments(1);
  tiny.connection.write(new Uint8Array(1000), tiny.now);
  for (const [start, end] of ranges(tiny.wait(60)).slice(0, -1)) expect(end - start).toBe(64);
});
