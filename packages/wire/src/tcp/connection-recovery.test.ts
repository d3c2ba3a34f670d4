import { expect, it } from "vitest";

import { ScriptedPeer } from "../../tests/support/scripted-peer.ts";
import type { Heard, PeerHabits } from "../../tests/support/scripted-peer.ts";
import type { TcpOptions } from "./connection-options.ts";

const segment = 1000;
const rttMs = 100;

/** Connects with an RTT of 100 ms and segments of 1000 bytes; any loss counts as congestion. */
function connect(habits: PeerHabits = {}, tcp: TcpOptions = {}): ScriptedPeer {
  const peer = ScriptedPeer.calling({ mss: segment, ...habits }, { toleratesNoise: false, ...tcp });
  peer.hear();
  peer.now += rttMs;
  peer.say({});
  peer.connection.takeEvents();
  return peer;
}

/** Writes some segments and lets the pace send them all. */
function write(peer: ScriptedPeer, segments: number): readonly Heard[] {
  peer.connection.write(new Uint8Array(segments * segment), peer.now);
  return peer.wait(60);
}

/** The numbers, from 0, of the received segments with data. */
function numbers(heard: readonly Heard[]): readonly number[] {
  return heard.filter(({ length }) => length > 0).map(({ at }) => (at - 1) / segment);
}

/** The offset of a segment by its number. */
function offsetOf(number: number): number {
  return 1 + number * segment;
}

it("sends ten segments at first, spread over a part of the round trip", () => {
  const peer = connect();
  peer.connection.write(new Uint8Array(50 * segment), peer.now);
  const first = peer.hear().length;
  expect(first).toBeLessThan(10);
  expect(first + peer.wait(60).length).toBe(10);
});

it("sends one more for each that is acknowledged while it starts slowly", () => {
  const peer = connect();
  write(peer, 50);
  peer.wait(rttMs - 60);
  const heard = [...peer.say({ ack: offsetOf(4) }), ...peer.wait(60)];
  expect(numbers(heard)).toEqual([10, 11, 12, 13, 14, 15, 16, 17]);
});

it("sends a segment again as soon as three behind it are reported", () => {
  const peer = connect();
  write(peer, 10);
  peer.wait(rttMs - 60);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(2)] }))).toEqual([]);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(3)] }))).toEqual([]);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(4)] }))).toEqual([0]);
});

it("waits a quarter of the round trip for one that others have overtaken", () => {
  const peer = connect();
  write(peer, 10);
  peer.wait(rttMs - 60);
  peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(2)] });
  expect(numbers(peer.wait(rttMs / 4 + 5))).toEqual([0]);
});

it("does not send again what was only overtaken, once it has seen that", () => {
  const peer = connect();
  write(peer, 20);
  peer.wait(rttMs - 60);
  peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(2)] });
  peer.say({ ack: offsetOf(2) });
  const repeats = numbers(peer.say({ ack: offsetOf(2), sacks: [offsetOf(3), offsetOf(7)] }));
  expect(repeats).not.toContain(2);
});

it("sends all that is missing, lowest first, and nothing that was reported", () => {
  const peer = connect();
  write(peer, 10);
  peer.wait(rttMs - 60);
  const heard = [
    ...peer.say({ ack: 1, sacks: [offsetOf(9), offsetOf(10)] }),
    ...peer.say({ ack: 1, sacks: [offsetOf(9), offsetOf(10), offsetOf(4), offsetOf(6)] }),
    ...peer.wait(60),
  ];
  expect(numbers(heard)).toEqual([0, 1, 2]);
  const rest = [
    ...peer.say({ ack: offsetOf(3), sacks: [offsetOf(9), offsetOf(10), offsetOf(4), offsetOf(6)] }),
    ...peer.wait(60),
  ];
  expect(numbers(rest)).toEqual([3, 6, 7, 8]);
});

it("finds out when what it sent again is lost too", () => {
  const peer = connect();
  write(peer, 10);
  peer.wait(rttMs - 60);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(4)] }))).toEqual([0]);
  peer.connection.write(new Uint8Array(5 * segment), peer.now);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(10)] }))).toContain(10);
  peer.wait(rttMs);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(11)] }))).toEqual([0]);
});

it("probes with the last segment two round trips after it, or with new data", () => {
  const peer = connect();
  write(peer, 3);
  expect(numbers(peer.wait(2 * rttMs))).toEqual([2]);
  const other = connect({}, { delaysSmallSegments: true });
  other.connection.write(new Uint8Array(3 * segment), other.now);
  other.wait(10);
  other.connection.write(new Uint8Array(2 * segment), other.now);
  expect(numbers(other.wait(3 * rttMs))).toEqual([3, 4, 4]);
});

it("slows down for a loss that the probe has repaired", () => {
  const peer = connect();
  write(peer, 10);
  peer.wait(rttMs - 60);
  peer.say({ ack: offsetOf(9) });
  const before = peer.connection.congestionWindow;
  expect(numbers(peer.wait(3 * rttMs + 250))).toEqual([9]);
  peer.connection.write(new Uint8Array(segment), peer.now);
  peer.hear();
  peer.say({ ack: offsetOf(11) });
  expect(peer.connection.congestionWindow).toBeLessThan(before);
});

it("times out, twice as late each time, and starts slowly anew", () => {
  const peer = connect();
  write(peer, 10);
  const times: number[] = [];
  for (let step = 0; step < 400; step += 1) {
    const heard = numbers(peer.wait(25));
    if (heard.includes(0)) times.push(peer.now);
  }
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(gaps.length).toBeGreaterThan(2);
  for (const [index, gap] of gaps.slice(1).entries()) {
    expect(gap / (gaps[index] ?? 1)).toBeGreaterThan(1.8);
    expect(gap / (gaps[index] ?? 1)).toBeLessThan(2.2);
  }
  expect(peer.connection.congestionWindow).toBe(segment);
  peer.say({ ack: offsetOf(1) });
  expect(peer.connection.congestionWindow).toBe(2 * segment);
});

it("takes a timeout back that timestamps prove needless", () => {
  const peer = connect({ mss: segment + 12, hasTimestamps: true });
  peer.connection.write(new Uint8Array(10 * segment), peer.now);
  peer.wait(60);
  const sentAt = peer.now - 30;
  const before = peer.connection.congestionWindow;
  peer.wait(3 * rttMs + 700);
  expect(peer.connection.congestionWindow).toBe(segment);
  // 0xffffff00 is the offset that the connection adds to its clock.
  const echo = (sentAt + 0xffff_ff00) >>> 0;
  peer.say({ ack: offsetOf(5), timestamps: [peer.now, echo] });
  expect(peer.connection.congestionWindow).toBeGreaterThanOrEqual(before);
});

it("counts duplicate ACKs of a peer that does not report", () => {
  const peer = connect({ hasSack: false });
  write(peer, 10);
  peer.wait(rttMs - 60);
  expect(numbers(peer.say({ ack: 1 }))).toEqual([]);
  expect(numbers(peer.say({ ack: 1 }))).toEqual([]);
  expect(numbers(peer.say({ ack: 1 }))).toEqual([0]);
  expect(numbers(peer.say({ ack: offsetOf(4) }))).toContain(4);
});

it("slows down for losses to seven tenths, once for all of a flight", () => {
  const peer = connect();
  write(peer, 10);
  peer.wait(rttMs - 60);
  peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(4)] });
  peer.wait(rttMs);
  peer.say({ ack: offsetOf(4), sacks: [offsetOf(5), offsetOf(10)] });
  peer.wait(rttMs);
  peer.say({ ack: offsetOf(10) });
  expect(peer.connection.congestionWindow).toBe(7 * segment);
});

it("hardly slows down for a loss on a path with an empty queue, if it may", () => {
  const peer = connect({}, { toleratesNoise: true });
  write(peer, 10);
  peer.wait(rttMs - 60);
  expect(numbers(peer.say({ ack: 1, sacks: [offsetOf(1), offsetOf(4)] }))).toEqual([0]);
  expect(peer.connection.congestionWindow).toBe(9 * segment);
});

it("starts slowly again after a long pause", () => {
  const peer = connect();
  for (let round = 0; round < 4; round += 1) {
    const before = peer.connection.queuedBytes;
    const heard = [...write(peer, 200), ...peer.wait(rttMs - 60)];
    expect(before).toBeLessThan(1e9);
    const last = heard.at(-1);
    if (last !== undefined) peer.say({ ack: last.at + last.length });
  }
  for (let round = 0; round < 100 && peer.connection.queuedBytes > 0; round += 1) {
    const last = peer.wait(rttMs).at(-1);
    if (last !== undefined) peer.say({ ack: last.at + last.length });
  }
  const before = peer.connection.congestionWindow;
  expect(before).toBeGreaterThan(20 * segment);
  peer.wait(60_000);
  write(peer, 1);
  expect(peer.connection.congestionWindow).toBe(10 * segment);
});

it("waits with small segments only when it is told to", () => {
  const [eager, patient] = [connect(), connect({}, { delaysSmallSegments: true })];
  for (const peer of [eager, patient]) {
    peer.connection.write(new Uint8Array(10), peer.now);
    expect(peer.hear()).toHaveLength(1);
    peer.connection.write(new Uint8Array(10), peer.now);
  }
  expect(eager.hear()).toHaveLength(1);
  expect(patient.hear()).toHaveLength(0);
  expect(patient.say({ ack: 11 })).toMatchObject([{ at: 11, length: 10 }]);
});

it("acknowledges every second segment, and one alone after 40 ms", () => {
  const peer = connect();
  for (let count = 0; count < 16; count += 1) expect(peer.say({ data: segment })).toHaveLength(1);
  expect(peer.say({ data: segment })).toHaveLength(0);
  expect(peer.say({ data: segment })).toMatchObject([{ ack: offsetOf(18) }]);
  peer.say({ data: segment });
  expect(peer.wait(39)).toEqual([]);
  expect(peer.wait(1)).toMatchObject([{ ack: offsetOf(19) }]);
});

it("acknowledges at once what is out of order, comes again, or fills a gap", () => {
  const peer = connect();
  for (let count = 0; count < 16; count += 1) peer.say({ data: segment });
  expect(peer.say({ at: offsetOf(18), data: segment })).toMatchObject([
    { sacks: [offsetOf(18), offsetOf(19)] },
  ]);
  expect(peer.say({ at: offsetOf(20), data: segment })).toMatchObject([
    { sacks: [offsetOf(20), offsetOf(21), offsetOf(18), offsetOf(19)] },
  ]);
  expect(peer.say({ at: offsetOf(20), data: segment })).toMatchObject([
    { sacks: [offsetOf(20), offsetOf(21), offsetOf(18), offsetOf(19)] },
  ]);
  expect(peer.say({ at: offsetOf(3), data: segment })).toMatchObject([
    { sacks: [offsetOf(3), offsetOf(4), offsetOf(20), offsetOf(21), offsetOf(18), offsetOf(19)] },
  ]);
  expect(peer.say({ at: offsetOf(16), data: 2 * segment })).toMatchObject([
    { ack: offsetOf(19), sacks: [offsetOf(20), offsetOf(21)] },
  ]);
});

it("acknowledges with data of its own if there is some", () => {
  const peer = connect();
  peer.connection.write(new Uint8Array(5), peer.now);
  expect(peer.say({ data: segment })).toMatchObject([{ ack: offsetOf(1), length: 5 }]);
});

it("asks an idle peer whether it is there, and gives it up when it does not answer", () => {
  const peer = connect();
  peer.connection.setKeepAlive({ idleMs: 10_000, intervalMs: 1000, probes: 3 }, peer.now);
  expect(peer.wait(9999)).toEqual([]);
  expect(peer.wait(1)).toMatchObject([{ at: 0, length: 0 }]);
  peer.say({});
  expect(peer.wait(9999)).toEqual([]);
  expect(peer.wait(2001)).toHaveLength(3);
  expect(peer.wait(1000)).toMatchObject([{ flags: "R" }]);
  expect(peer.connection.takeEvents()).toMatchObject([
    { type: "closed", error: { code: "timed-out" } },
  ]);
});

it("answers a peer that asks whether it is there", () => {
  const peer = connect();
  peer.say({ data: 10 });
  expect(peer.say({ at: 10 })).toMatchObject([{ ack: 11, length: 0 }]);
});
