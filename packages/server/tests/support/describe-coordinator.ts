import { randomBytes, randomUUID } from "node:crypto";

import { goneReason } from "@slipway/tailnet/coordination/peer-update";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  NodeSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Coordinator } from "../../src/network/coordinator/coordinator.ts";
import type { LeaveKind, PeerConnection } from "../../src/network/coordinator/peer-connection.ts";
import type { DirectoryTimes } from "../../src/network/coordinator/peer-directory.ts";

/** One replica, which can also end abruptly. */
export interface CoordinatorReplica {
  readonly coordinator: Coordinator;
  kill(): Promise<void>;
}

/** Replicas under test that share their peers. */
export interface CoordinatorsUnderTest extends AsyncDisposable {
  /** Opens one more replica, which the suite closes. */
  openReplica(): Promise<CoordinatorReplica>;
}

/** Intervals short enough for a test to wait for each. */
export const quickTimes: DirectoryTimes = { heartbeatMs: 100, deadMs: 1_000, graceMs: 1_200 };

/** A peer that reads everything sent to it. */
export class TestPeer {
  readonly id: string;
  readonly connection: PeerConnection;
  /** The received responses, as `<kind> <name>`, or the error. */
  readonly heard: string[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #names: ReadonlyMap<string, string>;

  constructor(coordinator: Coordinator, names: Map<string, string>, name: string, id: string) {
    this.id = id;
    this.#names = names;
    names.set(id, name);
    this.connection = coordinator.join({
      id,
      holder: `holder of ${name}`,
      keyId: undefined,
      ip: undefined,
    });
    this.ended = this.#read().catch(() => undefined);
  }

  /** Publishes a node with this content. */
  publish(content: string, reserved: readonly string[] = []): Promise<boolean> {
    const bytes = encodeMessage(NodeSchema, { disco: content, preferredDerp: 999 });
    return this.connection.publish({ bytes, reserved, latency: undefined });
  }

  leave(how: LeaveKind): Promise<void> {
    this.connection.leave(how);
    return this.connection.written;
  }

  /** Resolves once it has received exactly this since the last call. */
  async hears(...expected: readonly string[]): Promise<void> {
    await vi.waitFor(() => expect(this.heard).toEqual(expected), { timeout: 5_000, interval: 5 });
    this.heard.length = 0;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #read(): Promise<void> {
    for await (const response of this.connection.responses(this.#stop.signal)) {
      if ("error" in response) {
        this.heard.push(response.error);
        continue;
      }
      for (const { id, kind = 0, node, reason } of response.peerUpdates) {
        const name = this.#names.get(parseUuid(id ?? new Uint8Array(16))) ?? "?";
        const content = kind === Kind.NODE ? ` ${node?.disco ?? ""}` : "";
        const isGone = kind === Kind.LOST && reason === goneReason;
        const [what = "?"] = Object.entries(Kind).find(([, number]) => number === kind) ?? [];
        this.heard.push(`${what} ${name}${content}${isGone ? " gone" : ""}`);
      }
    }
    this.heard.push("end");
  }
}

/** The compliance suite of a coordinator on any directory. `open` is called for each test. */
export function describeCoordinator(
  kind: string,
  open: () => Promise<CoordinatorsUnderTest>,
): void {
  describe(`a coordinator ${kind}`, () => {
    let place: CoordinatorsUnderTest;
    let replicas: CoordinatorReplica[];
    let peers: TestPeer[];
    let names: Map<string, string>;

    beforeEach(async () => {
      place = await open();
      replicas = [await place.openReplica()];
      peers = [];
      names = new Map();
    });

    afterEach(async () => {
      for (const peer of peers) peer.stop();
      for (const { coordinator } of replicas) await coordinator[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    });

    async function another(): Promise<CoordinatorReplica> {
      const replica = await place.openReplica();
      replicas.push(replica);
      return replica;
    }

    function join(name: string, id: string = randomUUID(), replica = replicas[0]): TestPeer {
      if (replica === undefined) throw new Error("there is no replica");
      const peer = new TestPeer(replica.coordinator, names, name, id);
      peers.push(peer);
      return peer;
    }

    /** Joins an agent and a client that reaches it, on one replica or two. */
    async function joinPair(second = replicas[0]): Promise<{ agent: TestPeer; client: TestPeer }> {
      const agent = join("agent");
      const client = join("client", undefined, second);
      await client.connection.addTunnel(agent.id);
      await client.publish("c1");
      await agent.publish("a1");
      await agent.hears("NODE client c1");
      await client.hears("NODE agent a1");
      return { agent, client };
    }

    describe.each(["on one replica", "on two replicas"])("%s", (where) => {
      let there: CoordinatorReplica | undefined;

      beforeEach(async () => {
        there = where === "on one replica" ? replicas[0] : await another();
      });

      it("tells both ends of a tunnel of each other, whichever comes first", async () => {
        const client = join("client", undefined, there);
        const agentId = randomUUID();
        await client.publish("c1");
        await client.connection.addTunnel(agentId);
        const agent = join("agent", agentId);
        await agent.hears("NODE client c1");
        await agent.publish("a1");
        await client.hears("NODE agent a1");
        await agent.publish("a2");
        await client.hears("NODE agent a2");
        await client.publish("c2");
        await agent.hears("NODE client c2");
      });

      it("tells nobody of peers without a tunnel", async () => {
        const { agent, client } = await joinPair(there);
        const other = join("other", undefined, there);
        await other.publish("o1");
        await agent.publish("a2");
        await client.hears("NODE agent a2");
        expect([agent.heard, other.heard]).toEqual([[], []]);
      });

      it("does not repeat a node or a tunnel", async () => {
        const { agent, client } = await joinPair(there);
        await client.publish("c1");
        await client.connection.addTunnel(agent.id);
        await agent.publish("a2");
        await client.hears("NODE agent a2");
        expect(agent.heard).toEqual([]);
      });

      it("passes on that a peer is ready, each time, and tells who shares no tunnel", async () => {
        const { agent, client } = await joinPair(there);
        await agent.connection.sayReady([client.id]);
        await client.hears("READY_FOR_HANDSHAKE agent");
        await agent.connection.sayReady([client.id]);
        await client.hears("READY_FOR_HANDSHAKE agent");
        const nobody = randomUUID();
        await agent.connection.sayReady([nobody]);
        await agent.hears(
          `ready for handshake error: you do not share a tunnel with ${JSON.stringify(nobody)}`,
        );
      });

      it("passes on that a peer was ready before it had a node, after its node", async () => {
        const agent = join("agent");
        const client = join("client", undefined, there);
        await client.connection.addTunnel(agent.id);
        await client.publish("c1");
        await agent.hears("NODE client c1");
        await agent.connection.sayReady([client.id]);
        await agent.publish("a1");
        await client.hears("NODE agent a1", "READY_FOR_HANDSHAKE agent");
        // Once: the next node does not repeat it.
        await agent.publish("a2");
        await client.hears("NODE agent a2");
        await agent.publish("a3");
        await client.hears("NODE agent a3");
      });

      it("tells both ends when a tunnel is removed", async () => {
        const { agent, client } = await joinPair(there);
        await client.connection.removeTunnel(agent.id);
        await client.hears("DISCONNECTED agent");
        await agent.hears("DISCONNECTED client");
        await client.connection.removeTunnel(agent.id);
        await client.connection.addTunnel(agent.id);
        await client.hears("NODE agent a1");
        await agent.hears("NODE client c1");
      });

      it("tells whoever gives up a tunnel and asks for it at once of the other again", async () => {
        const { agent, client } = await joinPair(there);
        const removed = client.connection.removeTunnel(agent.id);
        await Promise.all([removed, client.connection.addTunnel(agent.id)]);
        await vi.waitFor(() => expect(client.heard.at(-1)).toBe("NODE agent a1"));
      });

      it("tells of a peer that disconnects, and forgets its tunnels", async () => {
        const { agent, client } = await joinPair(there);
        await client.leave("disconnected");
        await agent.hears("DISCONNECTED client");
        const again = join("client", client.id, there);
        await again.publish("c2");
        await again.connection.sayReady([agent.id]);
        await again.hears(
          `ready for handshake error: you do not share a tunnel with ${JSON.stringify(agent.id)}`,
        );
        expect(agent.heard).toEqual([]);
      });

      it("keeps the tunnels to an agent that disconnects", async () => {
        const { agent, client } = await joinPair(there);
        await agent.leave("disconnected");
        await client.hears("DISCONNECTED agent");
        const again = join("agent", agent.id);
        await again.publish("a2");
        await client.hears("NODE agent a2");
        await again.hears("NODE client c1");
      });

      it("tells of a lost peer, and of its return within the grace", async () => {
        const { agent, client } = await joinPair(there);
        await client.leave("lost");
        await agent.hears("LOST client");
        const again = join("client", client.id, there);
        await again.connection.addTunnel(agent.id);
        await again.publish("c1");
        await agent.hears("NODE client c1");
        await again.hears("NODE agent a1");
      });

      it("reports a lost peer as disconnected after the grace", async () => {
        const { agent, client } = await joinPair(there);
        await client.leave("lost");
        await agent.hears("LOST client");
        await agent.hears("DISCONNECTED client");
      });

      it("tells an agent that connects anew nothing of a peer that is lost, until it is forgotten", async () => {
        const { agent, client } = await joinPair(there);
        await client.leave("lost");
        await agent.hears("LOST client");
        const again = join("agent", agent.id);
        await again.publish("a2");
        await again.hears("DISCONNECTED client");
      });

      it("tells that a lost peer is gone, also an agent that connects anew, until it is back", async () => {
        const { agent, client } = await joinPair(there);
        await client.leave("gone");
        await agent.hears("LOST client gone");
        const anew = join("agent", agent.id);
        await anew.publish("a2");
        await anew.hears("LOST client gone");
        const again = join("client", client.id, there);
        await again.connection.addTunnel(agent.id);
        await again.publish("c1");
        await anew.hears("NODE client c1");
        await again.leave("lost");
        await anew.hears("LOST client");
      });

      it("withdraws the readiness of a peer that starts anew", async () => {
        const { agent, client } = await joinPair(there);
        await agent.connection.sayReady([client.id]);
        await client.hears("READY_FOR_HANDSHAKE agent");
        const again = join("agent", agent.id);
        await again.publish("a2");
        await client.hears("NODE agent a2");
        const second = join("client", client.id, there);
        await second.connection.addTunnel(agent.id);
        await second.hears("NODE agent a2");
        await again.connection.sayReady([client.id]);
        await second.hears("READY_FOR_HANDSHAKE agent");
      });

      it("lets only one holder have an address or a key", async () => {
        const { agent } = await joinPair(there);
        expect(await agent.publish("a2", ["fd7a::1", "key:1"])).toBe(true);
        const thief = join("thief", undefined, there);
        await thief.connection.addTunnel(agent.id);
        expect(await thief.publish("t1", ["fd7a::2", "key:1"])).toBe(false);
        expect(await thief.publish("t1", ["fd7a::1"])).toBe(false);
        expect(agent.heard).toEqual([]);
        expect(await thief.publish("t1", ["fd7a::2"])).toBe(true);
        await agent.hears("NODE thief t1");
        await agent.leave("disconnected");
        expect(await thief.publish("t2", ["fd7a::1"])).toBe(true);
      });

      it("keeps what a lost peer has for it until it is forgotten", async () => {
        const { agent, client } = await joinPair(there);
        await client.publish("c2", ["fd7a::1"]);
        await agent.hears("NODE client c2");
        await client.leave("lost");
        const thief = join("thief");
        expect(await thief.publish("t1", ["fd7a::1"])).toBe(false);
        await agent.hears("LOST client", "DISCONNECTED client");
        expect(await thief.publish("t1", ["fd7a::1"])).toBe(true);
      });

      it("gives back the newest node of each peer, not all of them, to one that reads late", async () => {
        const agent = join("agent");
        const client = join("client", undefined, there);
        await client.connection.addTunnel(agent.id);
        const late = join("agent", agent.id);
        await agent.hears("peer ID overwritten by new connection", "end");
        late.stop();
        await late.ended;
        late.heard.length = 0;
        for (let number = 0; number < 50; number += 1) await client.publish(`c${number}`);
        const again = join("agent", agent.id);
        await again.hears("NODE client c49");
      });

      it("tells an agent of a thousand peers", { timeout: 30_000 }, async () => {
        const agent = join("agent");
        const clients = Array.from({ length: 1_100 }, (_, number) =>
          join(`client ${number}`, undefined, there),
        );
        await Promise.all(
          clients.map(async (client, number) => {
            await client.connection.addTunnel(agent.id);
            await client.publish(`c${number}`);
          }),
        );
        await vi.waitFor(() => expect(new Set(agent.heard).size).toBe(1_100), { timeout: 10_000 });
        expect(agent.heard.every((text) => text.startsWith("NODE client "))).toBe(true);
      });
    });

    it("displaces a connection of the same peer and tells nobody else", async () => {
      const { agent, client } = await joinPair();
      const again = join("client", client.id);
      await client.hears("peer ID overwritten by new connection", "end");
      await client.leave("lost");
      await client.publish("c9");
      await again.hears("NODE agent a1");
      await again.publish("c2");
      await agent.hears("NODE client c2");
    });

    it("of two replicas with the same peer counts the newer one", async () => {
      const { agent, client } = await joinPair();
      const again = join("client", client.id, await another());
      await again.connection.addTunnel(agent.id);
      await again.publish("c2");
      await agent.hears("NODE client c2");
      await client.leave("lost");
      await again.publish("c3");
      await agent.hears("NODE client c3");
    });

    it("tells everybody when it closes, and marks its peers as lost", async () => {
      const second = await another();
      const { agent, client } = await joinPair(second);
      await second.coordinator[Symbol.asyncDispose]();
      await client.hears("coordinator closed", "end");
      await agent.hears("LOST client");
    });

    it("does not take for gone whom a replica loses that closes or dies", async () => {
      const [closing, dying] = [await another(), await another()];
      const first = await joinPair(closing);
      await closing.coordinator[Symbol.asyncDispose]();
      await first.agent.hears("LOST client");
      const second = await joinPair(dying);
      await dying.kill();
      await second.agent.hears("LOST client");
    });

    it("counts the peers of a dead replica as lost, and takes them over when they come", async () => {
      const second = await another();
      const { agent, client } = await joinPair(second);
      await second.kill();
      await agent.hears("LOST client");
      const again = join("client", client.id);
      await again.connection.addTunnel(agent.id);
      await again.publish("c2");
      await agent.hears("NODE client c2");
      await again.hears("NODE agent a1");
    });

    it("forgets the peers of a dead replica after the grace", async () => {
      const second = await another();
      const { agent } = await joinPair(second);
      await second.kill();
      await agent.hears("LOST client");
      await agent.hears("DISCONNECTED client");
    });

    it("removes a peer whose key has ended, unless it is connected by another", async () => {
      const { agent, client } = await joinPair();
      await replicas[0]?.coordinator.remove({ id: client.id, keyId: "another" });
      expect(await client.publish("c1 still")).toBe(true);
      await agent.hears("NODE client c1 still");
      await replicas[0]?.coordinator.remove({ id: client.id, keyId: undefined });
      await agent.hears("DISCONNECTED client");
      await client.hears("access to the workspace has ended", "end");
      const again = join("client", client.id);
      await again.connection.addTunnel(agent.id);
      await again.publish("c2");
      await agent.hears("NODE client c2");
    });

    it("reserves what a node has for as long as it has it, on any replica", async () => {
      const second = await another();
      const client = join("client");
      const there = join("client", client.id, second);
      const stranger = join("stranger");
      const takes = (value: string): Promise<boolean> => stranger.publish("s", [value]);
      expect(await client.publish("c1", ["here", "both"])).toBe(true);
      expect(await there.publish("c2", ["there", "both"])).toBe(true);
      expect(await takes("here")).toBe(false);
      expect(await client.publish("c3", ["next"])).toBe(true);
      expect(await takes("here")).toBe(true);
      expect([await takes("both"), await takes("next")]).toEqual([false, false]);
      expect(await stranger.publish("s", ["here"])).toBe(true);
      // A refused node reserves nothing, and releases nothing.
      expect(await client.publish("c4", ["here", "new"])).toBe(false);
      expect(await takes("next")).toBe(false);
      expect(await takes("new")).toBe(true);
      await there.publish("c5", []);
      expect([await takes("both"), await takes("there")]).toEqual([true, true]);
    });

    it("reads what a peer has published and opened on all replicas, once that is written", async () => {
      const second = await another();
      const client = join("client");
      const there = join("client", client.id, second);
      const [one, other] = [randomUUID(), randomUUID()];
      await there.publish("c2");
      await there.connection.addTunnel(other);
      void client.publish("c1");
      void client.connection.addTunnel(one);
      const standing = await replicas[0]?.coordinator.readStanding(client.id);
      expect(standing?.destinations.toSorted()).toEqual([one, other].toSorted());
      const nodes = standing?.nodes.map((node) => parseMessage(NodeSchema, node).disco);
      expect(nodes?.toSorted()).toEqual(["c1", "c2"]);
    });

    it("keeps nothing of a peer that left before it published anything", async () => {
      const client = join("client");
      const agent = join("agent");
      await client.connection.addTunnel(agent.id);
      await client.leave("lost");
      const again = join("client", client.id);
      await again.publish(randomBytes(4).toString("hex"));
      await agent.publish("a1");
      await agent.connection.sayReady([client.id]);
      await agent.hears(
        `ready for handshake error: you do not share a tunnel with ${JSON.stringify(client.id)}`,
      );
      expect(again.heard).toEqual([]);
    });
  });
}
