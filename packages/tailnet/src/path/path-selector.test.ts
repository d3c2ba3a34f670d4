import type { DiscoMessage } from "@slipway/wire/disco/message";
import fc from "fast-check";
import { expect, it } from "vitest";

import { keyText } from "../identity/key.ts";
import type { PathAction, PathPeer } from "./path-action.ts";
import { PathSelector, type MessageSource, type PathEvent } from "./path-selector.ts";
import { toDiscoEndpoint, type UdpAddress } from "./udp-address.ts";

const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const at = (last: number): UdpAddress => ({ address: `20.0.0.${String(last)}`, port: 41_641 });
const peerOf = (byte: number, endpoints: readonly UdpAddress[] = []): PathPeer => ({
  nodeKey: keyOf(byte),
  discoKey: keyOf(100 + byte),
  homeRegionId: 999,
  endpoints,
});

function create(): PathSelector {
  let count = 0;
  return new PathSelector({
    nodeKey: keyOf(99),
    isDirectDisabled: false,
    randomBytes: (length) => {
      count += 1;
      return Uint8Array.from({ length }, (_, index) => (count / 256 ** index) % 256);
    },
    limits: {},
  });
}

type SendAction = PathAction & { readonly type: "send" };
const sentOf = (actions: readonly PathAction[]): readonly SendAction[] =>
  actions.filter((action) => action.type === "send");

/** Returns a message of a peer from an address. */
function from(byte: number, last: number, message: DiscoMessage): PathEvent {
  const source: MessageSource = { kind: "udp", address: at(last) };
  return {
    type: "message",
    message,
    senderKey: keyText(keyOf(100 + byte)),
    source,
    packetBytes: 1310,
  };
}

/** Returns the pongs to the pings sent over UDP, as the peers would send them. */
function pongsTo(actions: readonly PathAction[]): readonly PathEvent[] {
  return sentOf(actions).flatMap(({ peer, via, message }) =>
    via.kind === "udp" && message.type === "ping"
      ? [
          {
            type: "message" as const,
            message: {
              type: "pong" as const,
              transactionId: message.transactionId,
              source: toDiscoEndpoint(at(1)),
            },
            senderKey: keyText(peer.discoKey),
            source: via,
            packetBytes: 1310,
          },
        ]
      : [],
  );
}

it("searches with the first data, and calls once its endpoints are fresh", () => {
  const selector = create();
  expect(selector.receive({ type: "peer", peer: peerOf(1, [at(5)]) }, 0)).toEqual([]);
  const actions = selector.receive({ type: "sent", nodeKey: keyText(keyOf(1)), isFull: false }, 0);
  expect(sentOf(actions).map(({ via, message }) => [via, message.type])).toEqual([
    [{ kind: "udp", address: at(5) }, "ping"],
  ]);
  expect(actions.at(-1)).toEqual({ type: "look-up-endpoints" });
  const called = sentOf(selector.receive({ type: "endpoints", addresses: [at(9)] }, 100));
  expect(called.map(({ via, message }) => [via, message])).toEqual([
    [
      { kind: "relay", regionId: 999 },
      { type: "call-me-maybe", endpoints: [toDiscoEndpoint(at(9))] },
    ],
  ]);
});

it("trusts an address for 6.5 s from each pong, and then sends both ways", () => {
  const selector = create();
  const nodeKey = keyText(keyOf(1));
  selector.receive({ type: "peer", peer: peerOf(1, [at(5)]) }, 0);
  const pongs = pongsTo(selector.receive({ type: "sent", nodeKey, isFull: false }, 0));
  for (const pong of pongs) selector.receive(pong, 20);
  expect(selector.route(nodeKey, 6519)).toEqual({ kind: "udp", address: at(5) });
  expect(selector.route(nodeKey, 6520)).toEqual({ kind: "both", regionId: 999, address: at(5) });
});

it("takes no pong for a proof of a length but that to a ping of this length, from where it went", () => {
  const selector = create();
  const nodeKey = keyText(keyOf(1));
  const send = (isFull: boolean, now: number): readonly PathEvent[] =>
    pongsTo(selector.receive({ type: "sent", nodeKey, isFull }, now));
  selector.receive({ type: "peer", peer: peerOf(1, [at(5)]) }, 0);
  const [pong] = send(false, 0);
  if (pong?.type !== "message") throw new Error("wanted a ping");
  selector.receive({ ...pong, packetBytes: 16_416 }, 20);
  expect(selector.route(nodeKey, 20)).toMatchObject({ kind: "udp" });
  expect(selector.datagramBytes(nodeKey)).toBe(1312);
  const [proof] = send(true, 100);
  if (proof?.type !== "message") throw new Error("wanted a probe");
  for (const forged of [
    { ...proof, source: { kind: "udp", address: at(6) } },
    { ...proof, source: { kind: "relay", regionId: 999, nodeKey } },
    { ...proof, senderKey: keyText(keyOf(102)) },
    { ...pong, packetBytes: 16_416 },
  ] as const) {
    selector.receive(forged, 110);
    expect(selector.datagramBytes(nodeKey)).toBe(1312);
  }
  selector.receive(proof, 120);
  expect(selector.datagramBytes(nodeKey)).toBe(1440);
  selector.receive(proof, 121);
  expect(selector.datagramBytes(nodeKey)).toBe(1440);
});

it("answers a ping of any length with a pong that is no longer than those of others", () => {
  const selector = create();
  selector.receive({ type: "peer", peer: peerOf(1, [at(5)]) }, 0);
  const ping = { type: "ping", transactionId: new Uint8Array(12), nodeKey: keyOf(1) } as const;
  const event = from(1, 5, ping);
  if (event.type !== "message") throw new Error("wanted a message");
  const [pong] = sentOf(selector.receive({ ...event, packetBytes: 16_416 }, 0));
  expect([pong?.message.type, pong?.packetBytes, pong?.isWhole]).toEqual(["pong", 1310, false]);
});

it("changes to a better address, and not for noise", () => {
  const selector = create();
  const nodeKey = keyText(keyOf(1));
  selector.receive({ type: "peer", peer: peerOf(1, [at(5), at(6)]) }, 0);
  const [slow, fast] = pongsTo(selector.receive({ type: "sent", nodeKey, isFull: false }, 0));
  if (slow === undefined || fast === undefined) throw new Error("wanted two pings");
  selector.receive(fast, 100);
  expect(selector.route(nodeKey, 100)).toMatchObject({ address: at(6) });
  selector.receive(slow, 101);
  expect(selector.route(nodeKey, 101)).toMatchObject({ address: at(6) });
});

it("looks for a better address once a minute, if the one in use is slow", () => {
  const selector = create();
  const nodeKey = keyText(keyOf(1));
  selector.receive({ type: "peer", peer: peerOf(1, [at(5), at(6)]) }, 0);
  const times: number[] = [];
  for (let now = 0; now < 130_000; now += 500) {
    const actions = [
      ...selector.receive({ type: "sent", nodeKey, isFull: false }, now),
      ...selector.receive({ type: "tick" }, now),
    ];
    for (const { via } of sentOf(actions)) {
      if (via.kind === "udp" && via.address.address === at(6).address) times.push(now);
    }
    for (const pong of pongsTo(actions)) {
      const isFirst =
        pong.type === "message" &&
        pong.source.kind === "udp" &&
        pong.source.address.address === at(5).address;
      if (isFirst) selector.receive(pong, now + 50);
    }
  }
  expect(times).toEqual([0, 60_000, 120_000]);
});

it("ties an address to the peer that pinged from it, until another one answers there", () => {
  const selector = create();
  selector.receive({ type: "peer", peer: peerOf(1) }, 0);
  selector.receive({ type: "peer", peer: peerOf(2, [at(5)]) }, 0);
  const ping = (id: number): DiscoMessage => ({
    type: "ping",
    transactionId: new Uint8Array(12).fill(id),
    nodeKey: keyOf(1),
  });
  selector.receive(from(1, 5, ping(7)), 0);
  expect(selector.ownerOf(at(5))).toBe(keyText(keyOf(1)));
  for (const pong of pongsTo(
    selector.receive({ type: "sent", nodeKey: keyText(keyOf(2)), isFull: false }, 0),
  )) {
    selector.receive(pong, 10);
  }
  expect(selector.ownerOf(at(5))).toBe(keyText(keyOf(2)));
  selector.receive(from(1, 5, ping(8)), 20);
  expect(selector.ownerOf(at(5))).toBe(keyText(keyOf(2)));
  selector.receive({ type: "peer-removed", nodeKey: keyText(keyOf(2)) }, 30);
  expect(selector.ownerOf(at(5))).toBeUndefined();
});

it("pings a bounded number of addresses of all peers together", () => {
  const selector = create();
  let count = 0;
  for (let byte = 1; byte <= 90; byte += 1) {
    const endpoints = Array.from({ length: 16 }, (_, index) => at(index));
    selector.receive({ type: "peer", peer: peerOf(byte, endpoints) }, 0);
    const actions = selector.receive(
      { type: "sent", nodeKey: keyText(keyOf(byte)), isFull: false },
      0,
    );
    count += sentOf(actions).length;
  }
  expect(count).toBe(512);
});

const anyByte = fc.integer({ min: 1, max: 3 });
const anyLast = fc.integer({ min: 1, max: 6 });
const anyLasts = fc.array(anyLast, { maxLength: 4 });
const anyStep = fc.record({
  waitMs: fc.constantFrom(0, 1, 100, 2999, 3000, 5000, 6500, 45_000, 60_000.25),
  event: fc.oneof(
    fc.record({ kind: fc.constant("peer" as const), byte: anyByte, lasts: anyLasts }),
    fc.record({ kind: fc.constant("removed" as const), byte: anyByte }),
    fc.record({ kind: fc.constant("sent" as const), byte: anyByte }),
    fc.record({ kind: fc.constant("ping" as const), byte: anyByte, last: anyLast, id: fc.nat(30) }),
    fc.record({ kind: fc.constant("call" as const), byte: anyByte, lasts: anyLasts }),
    fc.record({ kind: fc.constant("pong" as const), which: fc.nat() }),
    fc.record({ kind: fc.constant("explicit" as const), byte: anyByte }),
    fc.record({ kind: fc.constant("endpoints" as const), lasts: anyLasts }),
    fc.record({ kind: fc.constant("network-changed" as const) }),
  ),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Applies random steps, and keeps the state that the invariants need. */
class Run {
  readonly selector = create();
  readonly #pings: PathEvent[] = [];
  /** The addresses from which each peer has answered. */
  readonly proven = new Set<string>();
  #ids = 0;

  apply({ event }: Step, now: number): void {
    switch (event.kind) {
      case "peer":
        this.#receive({ type: "peer", peer: peerOf(event.byte, event.lasts.map(at)) }, now);
        return;
      case "removed":
        this.#receive({ type: "peer-removed", nodeKey: keyText(keyOf(event.byte)) }, now);
        return;
      case "sent":
        this.#receive({ type: "sent", nodeKey: keyText(keyOf(event.byte)), isFull: false }, now);
        return;
      case "ping": {
        const { byte, id, last } = event;
        const transactionId = new Uint8Array(12).fill(id);
        this.#receive(from(byte, last, { type: "ping", transactionId, nodeKey: keyOf(byte) }), now);
        return;
      }
      case "call": {
        const endpoints = event.lasts.map((last) => toDiscoEndpoint(at(last)));
        const senderKey = keyText(keyOf(100 + event.byte));
        const source = { kind: "relay" as const, regionId: 1, nodeKey: keyText(keyOf(event.byte)) };
        const message = { type: "call-me-maybe" as const, endpoints };
        this.#receive({ type: "message", message, senderKey, source, packetBytes: 100 }, now);
        return;
      }
      case "pong": {
        const [pong] = this.#pings.splice(event.which % (this.#pings.length || 1), 1);
        if (pong?.type !== "message" || pong.source.kind !== "udp") return;
        this.proven.add(`${pong.senderKey} ${pong.source.address.address}`);
        this.#receive(pong, now);
        return;
      }
      case "explicit":
        this.#take(this.selector.ping(keyText(keyOf(event.byte)), (this.#ids += 1), now) ?? []);
        return;
      case "endpoints":
        this.#receive(
          { type: "endpoints", addresses: event.lasts.map((last) => at(100 + last)) },
          now,
        );
        return;
      case "network-changed":
        this.#receive({ type: "network-changed" }, now);
    }
  }

  tick(now: number): void {
    this.#receive({ type: "tick" }, now);
  }

  #receive(event: PathEvent, now: number): void {
    this.#take(this.selector.receive(event, now));
  }

  #take(actions: readonly PathAction[]): void {
    this.#pings.push(...pongsTo(actions));
    if (this.#pings.length > 200) this.#pings.splice(0, 100);
  }
}

it("keeps its promises for random events: it never waits in vain, and trusts only what has answered", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const run = new Run();
      let now = 1000.1;
      for (const step of steps) {
        now += step.waitMs;
        run.apply(step, now);
        run.tick(now);
        expect(run.selector.nextWake ?? Infinity).toBeGreaterThan(now);
        for (const byte of [1, 2, 3]) {
          const route = run.selector.route(keyText(keyOf(byte)), now) ?? { kind: "relay" };
          const isProven =
            route.kind === "relay" ||
            run.proven.has(`${keyText(keyOf(100 + byte))} ${route.address.address}`);
          expect(isProven).toBe(true);
        }
      }
    }),
  );
});
