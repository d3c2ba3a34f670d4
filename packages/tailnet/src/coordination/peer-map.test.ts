import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { PeerMap, type PeerEvent } from "./peer-map.ts";
import type { PeerNode } from "./peer-node.ts";

const ownNodeKey = key(255);
const readyMs = 5_000;
const lostMs = 15 * 60_000;

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function nodeOf(nodeKey: number, changes: Partial<PeerNode> = {}): PeerNode {
  return {
    nodeKey: key(nodeKey),
    discoKey: key(nodeKey + 100),
    homeRegionId: 999,
    allowedAddresses: [new Uint8Array(16).fill(nodeKey)],
    endpoints: [],
    ...changes,
  };
}

/** A map with its outcomes as text: the type, the peer, the first byte of its key and the keep-alive. */
function openMap({ saysReady = false, maxPeers = 8 } = {}) {
  const map = new PeerMap({ ownNodeKey, saysReady, maxPeers });
  const texts = (outcomes: ReturnType<PeerMap["receive"]>): string[] =>
    outcomes.map((outcome) => {
      switch (outcome.type) {
        case "say-ready":
        case "probe":
          return `${outcome.type} ${outcome.id}`;
        case "drop":
          return `drop ${outcome.id}: ${outcome.reason}`;
        case "remove":
          return `${outcome.isGone ? "end" : "remove"} ${outcome.id} ${outcome.node.nodeKey[0]}`;
        case "install":
        case "reset": {
          const keepalive = outcome.keepaliveMs === undefined ? "" : ` ${outcome.keepaliveMs}`;
          return `${outcome.type} ${outcome.id} ${outcome.node.nodeKey[0]}${keepalive}`;
        }
      }
    });
  return {
    map,
    receive: (event: PeerEvent, now = 0) => texts(map.receive(event, now)),
    tick: (now: number) => texts(map.tick(now)),
  };
}

describe("a peer that opened the tunnel itself", () => {
  it("is installed at once, and told so only by an agent", () => {
    const event = { type: "node", id: "a", node: nodeOf(1) } as const;
    expect(openMap().receive(event)).toEqual(["install a 1"]);
    expect(openMap({ saysReady: true }).receive(event)).toEqual(["install a 1", "say-ready a"]);
  });

  it("is told so again whenever its node comes, and configured only if that differs", () => {
    const { receive } = openMap({ saysReady: true });
    receive({ type: "node", id: "a", node: nodeOf(1) });
    expect(receive({ type: "node", id: "a", node: nodeOf(1) })).toEqual(["say-ready a"]);
    const moved = nodeOf(1, { endpoints: ["192.0.2.1:41641"] });
    expect(receive({ type: "node", id: "a", node: moved })).toEqual(["install a 1", "say-ready a"]);
  });
});

describe("a destination", () => {
  it("is installed with a keep-alive when it is ready", () => {
    const { receive, map } = openMap();
    receive({ type: "destination-added", id: "a" });
    expect(receive({ type: "node", id: "a", node: nodeOf(1) }, 100)).toEqual([]);
    expect(map.nextWake).toBe(100 + readyMs);
    expect(receive({ type: "ready", id: "a" }, 200)).toEqual(["install a 1 25000"]);
    expect(map.nextWake).toBeUndefined();
  });

  it("may be ready before its node comes", () => {
    const { receive } = openMap();
    receive({ type: "destination-added", id: "a" });
    expect(receive({ type: "ready", id: "a" })).toEqual([]);
    expect(receive({ type: "node", id: "a", node: nodeOf(1) })).toEqual(["install a 1 25000"]);
  });

  it("is installed without a keep-alive after five seconds, however often its node comes", () => {
    const { receive, tick } = openMap();
    receive({ type: "destination-added", id: "a" });
    receive({ type: "node", id: "a", node: nodeOf(1) }, 0);
    receive({ type: "node", id: "a", node: nodeOf(1, { homeRegionId: 5 }) }, readyMs - 1);
    expect(tick(readyMs - 1)).toEqual([]);
    expect(tick(readyMs)).toEqual(["install a 1"]);
    expect(receive({ type: "ready", id: "a" })).toEqual(["install a 1 25000"]);
  });

  it("is waited for again after it left, and is no longer one when this side lets go of it", () => {
    const { receive, map } = openMap();
    receive({ type: "destination-added", id: "a" });
    receive({ type: "ready", id: "a" });
    receive({ type: "node", id: "a", node: nodeOf(1) });
    expect(receive({ type: "disconnected", id: "a" })).toEqual(["end a 1"]);
    expect(receive({ type: "node", id: "a", node: nodeOf(2) })).toEqual([]);
    expect(map.destinations).toEqual(["a"]);
    receive({ type: "ready", id: "a" });
    expect(receive({ type: "destination-removed", id: "a" })).toEqual(["remove a 2"]);
    expect(map.destinations).toEqual([]);
    expect(map.stateOf("a")).toEqual({ type: "absent" });
  });
});

describe("a lost peer", () => {
  it("is removed at once if it never made a handshake", () => {
    const { receive } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    expect(receive({ type: "lost", id: "a", isGone: false })).toEqual(["remove a 1"]);
  });

  it("is kept until fifteen minutes after its last handshake", () => {
    const { receive, tick, map } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    receive({ type: "handshake", nodeKey: key(1) }, 1_000);
    expect(receive({ type: "lost", id: "a", isGone: false }, 60_000)).toEqual([]);
    expect(map.nextWake).toBe(1_000 + lostMs);
    receive({ type: "handshake", nodeKey: key(1) }, 120_000);
    expect(tick(1_000 + lostMs)).toEqual([]);
    expect(tick(120_000 + lostMs)).toEqual(["remove a 1"]);
    expect(map.stateOf("a")).toEqual({ type: "absent" });
  });

  it("ends with its connections once it may not come back", () => {
    const { receive, map } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    receive({ type: "handshake", nodeKey: key(1) }, 1_000);
    receive({ type: "lost", id: "a", isGone: false }, 60_000);
    expect(receive({ type: "disconnected", id: "a" }, 61_000)).toEqual(["end a 1"]);
    expect(receive({ type: "disconnected", id: "a" }, 62_000)).toEqual([]);
    expect(map.stateOf("a")).toEqual({ type: "absent" });
  });

  it("goes on as it was when its node comes back", () => {
    const { receive, map } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    receive({ type: "handshake", nodeKey: key(1) }, 1_000);
    receive({ type: "stream-lost" }, 2_000);
    expect(receive({ type: "node", id: "a", node: nodeOf(1) }, 3_000)).toEqual([]);
    expect(map.nextWake).toBeUndefined();
    expect(map.stateOf("a")).toMatchObject({ type: "installed", handshakeAt: 1_000 });
  });
});

describe("a peer that is gone", () => {
  const [goneMs, handshakeMs] = [30_000, 1_000];
  const gone = { type: "lost", id: "a", isGone: true } as const;

  /** A map with a peer that made a handshake, and has been gone since `handshakeMs`. */
  function openGone() {
    const opened = openMap();
    const node = nodeOf(1);
    opened.receive({ type: "node", id: "a", node });
    opened.receive({ type: "handshake", nodeKey: key(1) }, handshakeMs);
    expect(opened.receive(gone, handshakeMs)).toEqual([]);
    return { ...opened, node, askedAt: handshakeMs + goneMs };
  }

  it("is asked after thirty seconds, and its connections end if it is silent", () => {
    const { receive, tick, map, node, askedAt } = openGone();
    expect(map.nextWake).toBe(askedAt);
    expect(tick(askedAt - 1)).toEqual([]);
    expect(tick(askedAt)).toEqual(["probe a"]);
    expect(tick(askedAt + 1)).toEqual([]);
    expect(receive({ type: "silent", id: "a", node }, askedAt + 1)).toEqual(["end a 1"]);
    expect(map.stateOf("a")).toEqual({ type: "absent" });
  });

  it("is asked again and again while it answers", () => {
    const { receive, tick, node, askedAt } = openGone();
    tick(askedAt);
    expect(receive({ type: "answered", id: "a", node }, askedAt + 5)).toEqual([]);
    expect(tick(askedAt + goneMs)).toEqual([]);
    expect(tick(askedAt + goneMs + 5)).toEqual(["probe a"]);
    expect(receive({ type: "silent", id: "a", node }, askedAt + goneMs + 6)).toEqual(["end a 1"]);
  });

  it("is left alone once it is back, also by an answer that comes late", () => {
    const { receive, tick, map, node, askedAt } = openGone();
    tick(askedAt);
    receive({ type: "node", id: "a", node: nodeOf(1) }, askedAt + 1);
    expect(receive({ type: "silent", id: "a", node }, askedAt + 2)).toEqual([]);
    expect(map.nextWake).toBeUndefined();
    receive(gone, askedAt + 3);
    expect(receive({ type: "silent", id: "a", node }, askedAt + 4)).toEqual([]);
    expect(map.nextWake).toBe(askedAt + 3 + goneMs);
  });

  it.each(["before it is asked", "while it is asked"])(
    "is only lost once there is no coordinator to which it could come back, %s",
    (when) => {
      const { receive, tick, map, node, askedAt } = openGone();
      if (when === "while it is asked") tick(askedAt);
      receive({ type: "stream-lost" }, askedAt);
      expect(receive({ type: "silent", id: "a", node }, askedAt + 1)).toEqual([]);
      expect(map.nextWake).toBe(handshakeMs + lostMs);
      expect(receive(gone, askedAt + 2)).toEqual([]);
      expect(map.nextWake).toBe(askedAt + 2 + goneMs);
    },
  );

  it("is asked however new its last handshake is, and removed after fifteen minutes without one", () => {
    const { receive, tick, node, askedAt } = openGone();
    receive({ type: "handshake", nodeKey: key(1) }, askedAt - 1);
    expect(tick(askedAt)).toEqual(["probe a"]);
    receive({ type: "answered", id: "a", node }, askedAt - 1 + lostMs - 10);
    expect(tick(askedAt - 1 + lostMs)).toEqual(["remove a 1"]);
  });
});

describe("a node", () => {
  it("resets the session of a peer whose disco key is new", () => {
    const { receive } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    receive({ type: "handshake", nodeKey: key(1) }, 1_000);
    const restarted = nodeOf(1, { discoKey: key(7) });
    expect(receive({ type: "node", id: "a", node: restarted })).toEqual(["reset a 1"]);
    // The handshake belonged to the previous process.
    expect(receive({ type: "lost", id: "a", isGone: false })).toEqual(["remove a 1"]);
  });

  it("replaces a peer whose node key is another", () => {
    const { receive, map } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    const replaced = receive({ type: "node", id: "a", node: nodeOf(2) });
    expect(replaced).toEqual(["remove a 1", "install a 2"]);
    expect(map.stateOf("a")).toMatchObject({ type: "installed", node: { nodeKey: key(2) } });
  });

  it("takes the place of an earlier peer with the same key, which is not removed later", () => {
    const { receive, tick, map } = openMap();
    receive({ type: "node", id: "a", node: nodeOf(1) });
    receive({ type: "handshake", nodeKey: key(1) }, 1_000);
    receive({ type: "lost", id: "a", isGone: false });
    const moved = nodeOf(1, { homeRegionId: 5 });
    expect(receive({ type: "node", id: "b", node: moved })).toEqual(["install b 1"]);
    expect(tick(10 * lostMs)).toEqual([]);
    expect(map.stateOf("a")).toEqual({ type: "absent" });
    expect(map.stateOf("b")).toMatchObject({ type: "installed", handshakeAt: 1_000 });
  });

  it("with the key of this side is dropped", () => {
    const { receive, map } = openMap();
    const dropped = receive({ type: "node", id: "a", node: nodeOf(255) });
    expect(dropped).toEqual(["drop a: peer has this side's key"]);
    expect(map.stateOf("a")).toEqual({ type: "absent" });
  });

  it("of one peer too many is dropped until another has left", () => {
    const { receive } = openMap({ maxPeers: 2 });
    receive({ type: "destination-added", id: "a" });
    receive({ type: "node", id: "b", node: nodeOf(2) });
    const event = { type: "node", id: "c", node: nodeOf(3) } as const;
    expect(receive(event)).toEqual(["drop c: too many peers"]);
    expect(receive({ type: "destination-added", id: "d" })).toEqual(["drop d: too many peers"]);
    receive({ type: "disconnected", id: "b" });
    expect(receive(event)).toEqual(["install c 3"]);
  });
});

describe("any news", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e");
  const keys = fc.integer({ min: 1, max: 4 });
  const event: fc.Arbitrary<PeerEvent> = fc.oneof(
    fc.record({
      type: fc.constant("node" as const),
      id: ids,
      node: fc
        .tuple(keys, fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 }))
        .map(([nodeKey, disco, homeRegionId]) =>
          nodeOf(nodeKey, { discoKey: key(disco), homeRegionId }),
        ),
    }),
    fc.record({
      type: fc.constantFrom(
        "disconnected" as const,
        "ready" as const,
        "destination-added" as const,
        "destination-removed" as const,
      ),
      id: ids,
    }),
    fc.record({ type: fc.constant("lost" as const), id: ids, isGone: fc.boolean() }),
    fc.record({ type: fc.constant("handshake" as const), nodeKey: keys.map(key) }),
    fc.constant({ type: "stream-lost" as const }),
  );
  const steps = fc.array(fc.tuple(event, fc.integer({ min: 0, max: lostMs })), { maxLength: 60 });

  it("leaves the tunnel with exactly the peers that the map holds", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const map = new PeerMap({ ownNodeKey, saysReady: true, maxPeers: 4 });
        /** The tunnel: peers by the first byte of their key. */
        const tunnel = new Map<number | undefined, string>();
        const carryOut = (outcomes: ReturnType<PeerMap["receive"]>): void => {
          for (const outcome of outcomes) {
            if (outcome.type === "say-ready" || outcome.type === "drop") continue;
            if (outcome.type === "probe") {
              probed.push({ id: outcome.id, node: outcome.node });
              continue;
            }
            const [first] = outcome.node.nodeKey;
            // Removed or reset peers were present.
            expect(outcome.type === "install" || tunnel.has(first)).toBe(true);
            if (outcome.type === "remove") tunnel.delete(first);
            else tunnel.set(first, outcome.id);
          }
        };
        const probed: { readonly id: string; readonly node: PeerNode }[] = [];
        let now = 0;
        for (const [one, waitMs] of all) {
          now += waitMs;
          carryOut(map.tick(now));
          // A late response is one too.
          const late = probed.at(waitMs % 2);
          const type = waitMs % 3 === 0 ? "answered" : "silent";
          if (late !== undefined) carryOut(map.receive({ type, ...late }, now));
          expect(map.nextWake ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
          carryOut(map.receive(one, now));
          const held = ["a", "b", "c", "d", "e"].flatMap((id) => {
            const state = map.stateOf(id);
            return "handshakeAt" in state ? [[state.node.nodeKey[0], id] as const] : [];
          });
          expect(new Map(tunnel)).toEqual(new Map(held));
          expect(held.length).toBe(tunnel.size);
          expect(held.length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });
});
