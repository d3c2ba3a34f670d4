import { randomBytes, randomUUID } from "node:crypto";

import { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import type { CoordinatorWorld } from "./coordinator-world.ts";

/** Adds the tests of replicas that end, and of connections that replace others. */
export function addReplicaTests({ first, another, join, joinPair }: CoordinatorWorld): void {
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
    const early = await joinPair(closing);
    await closing.coordinator[Symbol.asyncDispose]();
    await early.agent.hears("LOST client");
    const late = await joinPair(dying);
    await dying.kill();
    await late.agent.hears("LOST client");
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
    await first().remove({ id: client.id, keyId: "another" });
    expect(await client.publish("c1 still")).toBe(true);
    await agent.hears("NODE client c1 still");
    await first().remove({ id: client.id, keyId: undefined });
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
    const standing = await first().readStanding(client.id);
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
}
