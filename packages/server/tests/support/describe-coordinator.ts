import { randomUUID } from "node:crypto";

import { beforeEach, describe, expect, it, vi } from "vitest";

import { addReplicaTests } from "./coordinator-replicas.ts";
import {
  type CoordinatorReplica,
  type CoordinatorsUnderTest,
  type CoordinatorWorld,
  useCoordinatorWorld,
} from "./coordinator-world.ts";

/** The compliance suite of a coordinator on any directory. `open` is called for each test. */
export function describeCoordinator(
  kind: string,
  open: () => Promise<CoordinatorsUnderTest>,
): void {
  describe(`a coordinator ${kind}`, () => {
    const world = useCoordinatorWorld(open);
    addTunnelTests(world);
    addReplicaTests(world);
  });
}

/** Adds the tests of what peers learn of each other by their tunnels. */
function addTunnelTests({ another, join, joinPair }: CoordinatorWorld): void {
  describe.each(["on one replica", "on two replicas"])("%s", (where) => {
    let there: CoordinatorReplica | undefined;

    beforeEach(async () => {
      there = where === "on one replica" ? undefined : await another();
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
  });
}
