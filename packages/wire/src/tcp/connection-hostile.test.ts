import fc from "fast-check";
import { expect, it } from "vitest";

import { dataAt, ScriptedPeer } from "../../tests/support/scripted-peer.ts";
import type { Said } from "../../tests/support/scripted-peer.ts";

/** Reads everything that is available. */
function readAll({ connection, now }: ScriptedPeer): Uint8Array {
  const parts: number[] = [];
  for (let part = connection.peek(); part !== undefined; part = connection.peek()) {
    parts.push(...part);
    connection.consume(part.length, now);
  }
  return Uint8Array.from(parts);
}

/** Writes and returns the offset after the sent data. */
function send(peer: ScriptedPeer, length: number): number {
  peer.connection.write(new Uint8Array(length), peer.now);
  const heard = peer.hear();
  return heard.reduce((end, segment) => Math.max(end, segment.at + segment.length), 1);
}

it("takes nothing from beyond its window", () => {
  const peer = ScriptedPeer.connected({}, { maxReceiveBytes: 5000 });
  expect(peer.say({ at: 5001, data: 1000 })).toMatchObject([{ ack: 1, sacks: [] }]);
  expect(peer.say({ at: 4501, data: 1000 })).toMatchObject([{ ack: 1, sacks: [4501, 5001] }]);
  expect(peer.say({ at: 1, data: 1200 })).toMatchObject([{ ack: 1201 }]);
  expect(readAll(peer)).toEqual(dataAt(1, 1200));
});

it("keeps what came first when segments overlap with other contents", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ at: 11, data: 10 });
  peer.say({ at: 1, data: new Uint8Array(30).fill(7) });
  const expected = new Uint8Array(30).fill(7);
  expected.set(dataAt(11, 10), 10);
  expect(readAll(peer)).toEqual(expected);
});

it("drops data behind a FIN, and a FIN before data that it has", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ at: 1, data: 10, flags: "F" });
  peer.say({ at: 12, data: 10 });
  expect(peer.connection.readable).toBe(10);
  const other = ScriptedPeer.connected();
  other.say({ at: 11, data: 10 });
  other.say({ at: 1, data: 5, flags: "F" });
  expect(other.connection.state).toBe("established");
  other.say({ at: 6, data: 5 });
  expect(other.connection.readable).toBe(20);
});

it("answers an ACK of unsent data with its own, and takes nothing else from it", () => {
  const peer = ScriptedPeer.connected();
  expect(peer.say({ ack: 2, data: 5 })).toMatchObject([{ at: 1, ack: 1, length: 0 }]);
  expect(peer.connection.readable).toBe(0);
});

it("answers an ACK from before the window likewise (RFC 5961 §5)", () => {
  const peer = ScriptedPeer.connected();
  const end = send(peer, 10_000);
  peer.say({ ack: end });
  expect(peer.say({ ack: end - 64_001, data: 5 })).toMatchObject([{ ack: 1, length: 0 }]);
  expect(peer.connection.readable).toBe(0);
  peer.say({ ack: end - 100, at: 1, data: 5 });
  expect(peer.connection.readable).toBe(5);
});

it("answers no more than a hundred bad segments a second", () => {
  const peer = ScriptedPeer.connected();
  let answers = 0;
  for (let count = 0; count < 1000; count += 1) answers += peer.say({ at: 900_000 }).length;
  expect(answers).toBe(100);
  peer.wait(1000);
  expect(peer.say({ at: 900_000 })).toHaveLength(1);
});

it("goes on when the window shrinks below what is in flight", () => {
  const peer = ScriptedPeer.connected();
  const end = send(peer, 10_000);
  expect(end).toBe(10_001);
  peer.say({ ack: 1221, window: 100 });
  const heard = peer.wait(30_000);
  expect(heard.length).toBeGreaterThan(3);
  expect(heard.every(({ at }) => at === 1221 || at === 1220)).toBe(true);
  peer.say({ ack: 10_001, window: 64_000 });
  expect(peer.connection.queuedBytes).toBe(0);
});

it("takes the window of the newest segment, not of one that it has overtaken", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ at: 11, data: 10, window: 2440 });
  peer.say({ at: 1, data: 10, window: 64_000 });
  expect(peer.connection.readable).toBe(20);
  expect(send(peer, 10_000)).toBe(2441);
  // The same place in the stream and a later acknowledgment: newer.
  const heard = peer.say({ at: 21, ack: 2441, window: 1220 });
  expect(heard.map(({ at, length }) => [at, length])).toEqual([[2441, 1220]]);
});

it("probes a window that is closed for ever, without end and ever more rarely", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ window: 0 });
  peer.connection.write(new Uint8Array(10_000), peer.now);
  expect(peer.hear()).toEqual([]);
  let probes = 0;
  for (let minute = 0; minute < 600; minute += 1) {
    const heard = peer.wait(60_000);
    probes += heard.length;
    expect(heard.every(({ at, length }) => at === 0 && length === 0)).toBe(true);
    peer.say({ window: 0 });
  }
  expect(peer.connection.state).toBe("established");
  expect(probes).toBeLessThan(620);
  expect(probes).toBeGreaterThan(590);
  expect(peer.say({ window: 64_000 })[0]).toMatchObject({ at: 1, length: 1220 });
});

it("gives up when nobody answers the probes of a closed window", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ window: 0 });
  peer.connection.write(new Uint8Array(10), peer.now);
  peer.wait(120_000);
  expect(peer.connection.takeEvents().at(-1)).toMatchObject({ error: { code: "timed-out" } });
});

it("sends what fits a window of one byte, one byte at a time at the pace of probes", () => {
  const peer = ScriptedPeer.connected();
  peer.say({ window: 1 });
  peer.connection.write(new Uint8Array(100), peer.now);
  let sent = 0;
  for (let round = 0; round < 20; round += 1) {
    for (const { at, length } of peer.wait(60_000)) if (length > 0) sent = at;
    peer.say({ ack: sent + 1, window: 1 });
  }
  expect(sent).toBeGreaterThan(10);
});

it("believes no report of what was not sent", () => {
  const peer = ScriptedPeer.connected();
  const end = send(peer, 5000);
  for (const sacks of [
    [end, end + 10],
    [end - 10, end + 10],
    [200, 100],
    [5000, 5000],
    [-500, 700],
    [0x4000_0000, 0x5000_0000],
  ]) {
    expect(peer.say({ ack: 1, sacks }).filter(({ length }) => length > 0)).toEqual([]);
  }
  expect(peer.connection.queuedBytes).toBe(5000);
});

it("sends again what was reported and never acknowledged", () => {
  const peer = ScriptedPeer.connected();
  const end = send(peer, 5000);
  peer.say({ ack: 1, sacks: [1, end] });
  const heard = peer.wait(20_000);
  const offsets = new Set(heard.filter(({ length }) => length > 0).map(({ at }) => at));
  expect(offsets.has(1)).toBe(true);
  for (let round = 0; round < 20; round += 1) {
    const next = peer.wait(10_000).find(({ length }) => length > 0);
    if (next !== undefined)
      peer.say({ ack: next.at + next.length, sacks: [next.at + next.length, end] });
  }
  expect(peer.connection.queuedBytes).toBe(0);
});

it("keeps a flood of tiny segments within its window, and its answers to one each", () => {
  const peer = ScriptedPeer.connected({ windowScale: 7 });
  let answers = 0;
  for (let offset = 3; offset < 100_000; offset += 2) {
    answers += peer.say({ at: offset, data: 1 }).length;
  }
  expect(answers).toBeLessThanOrEqual(50_000);
  expect(peer.connection.readable).toBe(0);
  for (let offset = 1; offset < 5000; offset += 1) peer.say({ at: offset, data: 1 });
  expect(readAll(peer).subarray(0, 4999)).toEqual(dataAt(1, 4999));
});

it("stays within its buffers when nobody reads, and says so", () => {
  const peer = ScriptedPeer.connected({ windowScale: 7 }, { maxReceiveBytes: 300_000 });
  let at = 1;
  for (let count = 0; count < 1000; count += 1) {
    peer.say({ at, data: 1000 });
    at += 1000;
  }
  const answers = peer.say({ at: 900_000, data: 1 });
  expect(answers.at(-1)).toMatchObject({ window: 0 });
  expect(peer.connection.readable).toBeLessThanOrEqual(300_000);
});

it("stays within its queue when nobody acknowledges", () => {
  const peer = ScriptedPeer.connected({}, { maxSendBytes: 100_000 });
  let taken = 0;
  for (let count = 0; count < 100; count += 1) {
    taken += peer.connection.write(new Uint8Array(10_000), peer.now);
    peer.hear();
  }
  expect(taken).toBe(100_000);
  expect(peer.connection.writable).toBe(0);
});

it("gives up a peer that acknowledges nothing, and has held no more than its queue", () => {
  const peer = ScriptedPeer.connected({}, { maxSendBytes: 100_000 });
  peer.connection.write(new Uint8Array(200_000), peer.now);
  const heard = peer.wait(130_000);
  // The first flight, and increasingly rare retransmissions.
  expect(heard.length).toBeLessThan(30);
  expect(heard.at(-1)).toMatchObject({ flags: "R" });
  expect(peer.connection.takeEvents().at(-1)).toMatchObject({ error: { code: "timed-out" } });
  expect(peer.connection.queuedBytes).toBe(0);
});

it("is not ended by a RST at any place of the window but the next, nor answers each", () => {
  const peer = ScriptedPeer.connected();
  let answers = 0;
  for (let at = 2; at < 60_000; at += 1) {
    answers += peer.say({ at, flags: "R", ack: undefined }).length;
  }
  expect(peer.connection.state).toBe("established");
  expect(answers).toBe(100);
});

it("grows its window no faster for an acknowledgment in a hundred parts (RFC 5681 §3.1)", () => {
  const once = ScriptedPeer.connected();
  const parted = ScriptedPeer.connected();
  for (const peer of [once, parted]) {
    send(peer, 20_000);
    peer.wait(5);
  }
  once.say({ ack: 10_001 });
  for (let ack = 101; ack <= 10_001; ack += 100) parted.say({ ack });
  expect(parted.connection.congestionWindow).toBeLessThanOrEqual(
    once.connection.congestionWindow + 1220,
  );
});

it("sends a peer that acknowledges ahead of what arrived no more than one that does not", () => {
  const peer = ScriptedPeer.connected();
  const before = peer.connection.congestionWindow;
  send(peer, 200_000);
  for (let ack = 20_000; ack < 1_000_000; ack += 1220) {
    expect(peer.say({ ack }).every(({ length }) => length === 0)).toBe(true);
  }
  expect(peer.connection.congestionWindow).toBe(before);
  // Data may be acknowledged before it can have arrived: slow start doubles for it, no more.
  const end = 1 + 10 * 1220;
  peer.say({ ack: end });
  expect(peer.connection.congestionWindow).toBeLessThanOrEqual(2 * before);
});

it("sends no small segments into a window that opens little by little", () => {
  const peer = ScriptedPeer.connected();
  send(peer, 5000);
  peer.say({ ack: 5001, window: 0 });
  peer.connection.write(new Uint8Array(50_000), peer.now);
  for (let window = 100; window < 1220; window += 100) {
    expect(peer.say({ ack: 5001, window })).toEqual([]);
  }
  expect(peer.say({ ack: 5001, window: 1300 })).toMatchObject([{ length: 1220 }]);
});

it("takes an old timestamp for an old segment (PAWS)", () => {
  const peer = ScriptedPeer.connected({ hasTimestamps: true });
  peer.say({ data: 5, timestamps: [5000, 0] });
  expect(peer.say({ data: 5, timestamps: [4999, 0] })).toMatchObject([{ ack: 6, length: 0 }]);
  expect(peer.connection.readable).toBe(5);
});

const anySaid: fc.Arbitrary<Said> = fc.record(
  {
    at: fc.oneof(fc.nat(40), fc.nat(10_000), fc.integer({ min: -70_000, max: 500_000 })),
    ack: fc.oneof(fc.nat(40), fc.nat(30_000), fc.constant(undefined), fc.integer()),
    flags: fc.constantFrom("", "", "", "", "F", "S", "R", "SF", "FR", "P"),
    data: fc.oneof(fc.nat(5), fc.nat(1220)),
    window: fc.constantFrom(0, 1, 100, 5000, 60_000),
    sacks: fc.array(fc.oneof(fc.nat(30_000), fc.integer()), { maxLength: 6 }),
    timestamps: fc.tuple(fc.nat(5000), fc.oneof(fc.nat(5000), fc.integer())),
  },
  { requiredKeys: [] },
);

const anyAction = fc.oneof(
  { weight: 6, arbitrary: anySaid.map((said) => (peer: ScriptedPeer) => peer.say(said).length) },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ minLength: 0, maxLength: 10 })
      .map((words) => (peer: ScriptedPeer) => {
        const rawOptions = Uint8Array.from(
          { length: words.length * 4 },
          (_, at) => words[at >> 2] ?? 0,
        );
        return peer.say({ rawOptions }).length;
      }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 1, 40, 300, 5000, 130_000).map((ms) => (peer: ScriptedPeer) => {
      return peer.wait(ms).length;
    }),
  },
  {
    weight: 2,
    arbitrary: fc.nat(30_000).map((length) => (peer: ScriptedPeer) => {
      peer.connection.write(new Uint8Array(length), peer.now);
      return peer.hear().length;
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("finish" as const, "close" as const, "abort" as const)
      .map((call) => (peer: ScriptedPeer) => {
        peer.connection[call](peer.now);
        return peer.hear().length;
      }),
  },
  {
    weight: 2,
    arbitrary: fc.nat(3000).map((length) => (peer: ScriptedPeer) => {
      const part = peer.connection.peek();
      peer.connection.consume(Math.min(length, part?.length ?? 0), peer.now);
      return peer.hear().length;
    }),
  },
);

it("survives whatever a peer says, with bounded answers and memory", () => {
  const anyHabits = fc.record({
    mss: fc.constantFrom(0, 536, 1220, 65_535),
    windowScale: fc.constantFrom(undefined, 0, 7, 14),
    hasSack: fc.boolean(),
    hasTimestamps: fc.boolean(),
  });
  fc.assert(
    fc.property(
      anyHabits,
      fc.constantFrom("called" as const, "calling" as const, "connected" as const),
      fc.array(anyAction, { maxLength: 60 }),
      (habits, begin, actions) => {
        const peer = ScriptedPeer[begin](habits, { maxReceiveBytes: 50_000, maxSendBytes: 50_000 });
        let closed = 0;
        for (const action of actions) {
          const sent = action(peer);
          closed += peer.connection.takeEvents().filter(({ type }) => type === "closed").length;
          // A wait of minutes may include a probe or a retransmission every few seconds.
          expect(sent).toBeLessThan(2000);
          expect(peer.connection.readable).toBeLessThanOrEqual(66_000);
          expect(peer.connection.queuedBytes).toBeLessThanOrEqual(50_000);
          expect(closed).toBeLessThanOrEqual(1);
          const wake = peer.connection.nextWake();
          expect(wake === undefined || wake > peer.now).toBe(true);
        }
        const { state } = peer.connection;
        expect(closed).toBe(state === "closed" || state === "time-wait" ? 1 : 0);
      },
    ),
    { numRuns: 800 },
  );
});
