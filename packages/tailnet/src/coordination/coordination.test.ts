import { abortable, silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  DERPMapSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import type { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { describe, expect, it, onTestFinished } from "vitest";

import { ScriptedCoordinator } from "../../tests/support/scripted-coordinator.ts";
import { CoordinationLoop, type CoordinationState } from "./coordination-loop.ts";
import { Coordination } from "./coordination.ts";

const peer = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
const other = "00112233-4455-6677-8899-aabbccddeeff";
const never = new AbortController().signal;

function wireNode(byte: number): MessageInitShape<typeof NodeSchema> {
  const prefixes = [`fd7a:115c:a1e0::${byte}/128`];
  return {
    key: Uint8Array.of(0x6e, 0x70, ...new Uint8Array(32).fill(byte)),
    disco: `discokey:${encodeHex(new Uint8Array(32).fill(byte))}`,
    preferredDerp: 999,
    addresses: prefixes,
    allowedIps: prefixes,
  };
}

const nodeUpdate = (id: string, byte: number) => ({
  id: encodeUuid(id),
  kind: Kind.NODE,
  node: wireNode(byte),
});
const update = (id: string, kind: Kind) => ({ id: encodeUuid(id), kind });

/** A peer and a scripted coordinator. */
function open(role: "agent" | "client") {
  const clock = createFakeClock();
  const coordinator = new ScriptedCoordinator(clock);
  const actions: string[] = [];
  const regions: string[] = [];
  const probe = Promise.withResolvers<void>();
  const coordination = new Coordination({
    role,
    clock,
    logger: silentLogger,
    self: {
      nodeId: 1n,
      nodeKey: new Uint8Array(32).fill(9),
      discoKey: new Uint8Array(32).fill(9),
      addresses: [new Uint8Array(16).fill(9)],
    },
    apply: (all) => actions.push(...all.map(({ type, id }) => `${type} ${id}`)),
    probe: (_, signal) => abortable(probe.promise, signal),
    onDerpMap: (map) => regions.push(Object.keys(map.regions).join()),
  });
  onTestFinished(async () => {
    coordinator.answersGoodbye = true;
    await coordination.close();
  });
  return { clock, coordinator, coordination, actions, regions, probe };
}

function openLoop(refusal?: "refused") {
  const parts = open("client");
  parts.coordinator.refuse(refusal);
  const states: CoordinationState[] = [];
  const loop = new CoordinationLoop({
    coordination: parts.coordination,
    service: parts.coordinator,
    clock: parts.clock,
    logger: silentLogger,
    random: () => 0,
    onState: (state) => states.push(state),
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const running = loop.run(stop.signal);
  running.catch(() => undefined);
  return { ...parts, states, running, stop };
}

async function isPending(promise: Promise<void>): Promise<boolean> {
  const settled = promise.then(
    () => false,
    () => false,
  );
  return Promise.race([settled, Promise.resolve(true)]);
}

describe("a client", () => {
  it("asks for its tunnels, then publishes its node, once it has a home region", async () => {
    const { clock, coordinator, coordination } = openLoop();
    coordination.addDestination(peer);
    await clock.advance(0);
    expect(coordinator.takeRequests()).toEqual([`add ${peer}`]);
    coordination.updateSelf({ endpoints: ["192.0.2.1:1"] });
    await clock.advance(0);
    expect(coordinator.takeRequests()).toEqual([]);
    coordination.updateSelf({ homeRegionId: 999 });
    coordination.updateSelf({ homeRegionId: 999 });
    await clock.advance(0);
    expect(coordinator.takeRequests()).toEqual(["node 999"]);
    coordination.removeDestination(peer);
    await clock.advance(0);
    expect(coordinator.takeRequests()).toEqual([`remove ${peer}`]);
    coordination.addDestination(peer);
    await clock.advance(0);
    coordinator.takeRequests();
    // Without the removal the coordinator would see no reason to send the peer again.
    coordination.removeDestination(peer);
    coordination.addDestination(peer);
    await clock.advance(0);
    expect(coordinator.takeRequests()).toEqual([`remove ${peer}`, `add ${peer}`]);
  });

  it("installs a destination that is ready, and does not say that itself is", async () => {
    const { clock, coordinator, coordination, actions } = openLoop();
    coordination.addDestination(peer);
    await clock.advance(0);
    coordinator.takeRequests();
    const installed = coordination.installed(peer, never);
    coordinator.respond({ peerUpdates: [nodeUpdate(peer, 1)] });
    await clock.advance(100);
    expect(actions).toEqual([]);
    coordinator.respond({ peerUpdates: [update(peer, Kind.READY_FOR_HANDSHAKE)] });
    await clock.advance(0);
    expect(actions).toEqual([`install ${peer}`]);
    expect((await installed).nodeKey).toEqual(new Uint8Array(32).fill(1));
    expect(coordinator.takeRequests()).toEqual([]);
  });

  it("installs one that never says so after five seconds, and tells the relays of each map", async () => {
    const { clock, coordinator, coordination, actions, regions } = openLoop();
    coordination.addDestination(peer);
    await clock.advance(0);
    coordinator.respond({ peerUpdates: [nodeUpdate(peer, 1)] });
    await clock.advance(4_999);
    expect(actions).toEqual([]);
    await clock.advance(1);
    expect(actions).toEqual([`install ${peer}`]);
    coordinator.showRelays(createMessage(DERPMapSchema, { regions: { 1: {}, 5: {} } }));
    await clock.advance(0);
    expect(regions).toEqual(["999", "1,5"]);
  });

  it("connects again when a stream ends, with its tunnels and its token, and keeps its peers", async () => {
    const { clock, coordinator, coordination, actions, states } = openLoop();
    coordination.addDestination(peer);
    coordination.updateSelf({ homeRegionId: 999 });
    await clock.advance(0);
    coordinator.respond({
      peerUpdates: [nodeUpdate(peer, 1), update(peer, Kind.READY_FOR_HANDSHAKE)],
    });
    await clock.advance(0);
    coordination.noteHandshake(new Uint8Array(32).fill(1));
    coordinator.takeRequests();
    for (const ending of ["coordinate", "relays", "session"] as const) {
      coordinator.end(ending);
      await clock.advance(0);
      expect(states.at(-1)).toMatchObject({ type: "connecting", error: { retryable: true } });
      await clock.advance(10_000);
      expect(states.at(-1)).toEqual({ type: "connected" });
      expect(coordinator.takeRequests()).toEqual([`node 999, add ${peer}`]);
    }
    expect(coordinator.tokens).toEqual([undefined, "token 1", "token 2", "token 3"]);
    expect(actions).toEqual([`install ${peer}`]);
    await clock.advance(15 * 60_000);
    expect(actions).toEqual([`install ${peer}`, `remove ${peer}`]);
  });

  it("connects again after an error of the coordinator, but not for one about a handshake", async () => {
    const { clock, coordinator, states } = openLoop();
    await clock.advance(0);
    coordinator.respond({ error: "ready for handshake error: no tunnel" });
    await clock.advance(0);
    expect(states.at(-1)).toEqual({ type: "connected" });
    coordinator.respond({ error: "authorization: no" });
    await clock.advance(0);
    expect(states.at(-1)).toMatchObject({ error: { message: "authorization: no" } });
  });

  it("drops what it cannot read and goes on", async () => {
    const { clock, coordinator, actions, states } = openLoop();
    await clock.advance(0);
    coordinator.respond({
      peerUpdates: [
        { id: new Uint8Array(3), kind: Kind.NODE, node: wireNode(1) },
        { id: encodeUuid(peer), kind: Kind.NODE },
        { id: encodeUuid(peer), kind: Kind.UNSPECIFIED },
        { ...nodeUpdate(peer, 1), node: { ...wireNode(1), key: new Uint8Array(3) } },
        nodeUpdate(other, 2),
      ],
    });
    await clock.advance(0);
    expect(actions).toEqual([`install ${other}`]);
    expect(states.at(-1)).toEqual({ type: "connected" });
  });

  it("waits longer between attempts that fail, and less after a session", async () => {
    const { clock, coordinator, states } = openLoop();
    await clock.advance(0);
    coordinator.refuse("retry");
    coordinator.end("session");
    await clock.advance(60_000);
    const { attempts } = coordinator;
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(30);
    coordinator.refuse(undefined);
    await clock.advance(10_000);
    expect(states.at(-1)).toEqual({ type: "connected" });
    await clock.advance(30_000);
    coordinator.end("session");
    await clock.advance(100);
    expect(states.at(-1)).toEqual({ type: "connected" });
  });

  it("gives up when it is refused before its first session, and not later", async () => {
    const { clock, coordinator, running, states } = openLoop();
    await clock.advance(0);
    coordinator.refuse("refused");
    coordinator.end("session");
    await clock.advance(60_000);
    expect(states.at(-1)).toMatchObject({ error: { message: "refused" } });
    coordinator.refuse(undefined);
    await clock.advance(10_000);
    expect(states.at(-1)).toEqual({ type: "connected" });
    const second = openLoop("refused");
    await expect(second.running).rejects.toThrow("refused");
    expect(await isPending(running)).toBe(true);
  });

  it("drops a token that is refused, and comes back as another peer", async () => {
    const { clock, coordinator } = openLoop();
    await clock.advance(0);
    coordinator.refuse("drop-token");
    coordinator.end("session");
    await clock.advance(100);
    coordinator.refuse(undefined);
    await clock.advance(1_000);
    expect(coordinator.tokens).toEqual([undefined, undefined]);
  });

  it("gets a new token when it is time, and uses none that has expired", async () => {
    const { clock, coordinator } = openLoop();
    await clock.advance(12 * 3_600_000);
    expect(coordinator.issued).toBe(2);
    coordinator.issuesTokens = false;
    await clock.advance(24 * 3_600_000);
    coordinator.end("session");
    await clock.advance(1_000);
    expect(coordinator.tokens).toEqual([undefined, undefined]);
  });

  it("says goodbye and waits for the coordinator, but not for long", async () => {
    const { clock, coordinator, coordination, running } = openLoop();
    await clock.advance(0);
    coordinator.answersGoodbye = false;
    const closing = coordination.close();
    await clock.advance(999);
    expect(coordinator.takeRequests()).toEqual(["disconnect"]);
    expect(await isPending(closing)).toBe(true);
    await clock.advance(1);
    await closing;
    await expect(running).rejects.toMatchObject({ code: "closed" });
  });

  it("ends its loop when the coordinator has answered its goodbye", async () => {
    const { clock, coordinator, coordination, running } = openLoop();
    await clock.advance(0);
    await Promise.all([coordination.close(), running]);
    expect(coordinator.takeRequests()).toEqual(["disconnect"]);
    expect(coordinator.openSessions).toBe(0);
  });

  it("stops at once at its signal, whatever it is doing", async () => {
    const { clock, coordinator, running, stop } = openLoop();
    await clock.advance(0);
    stop.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    expect(coordinator.openSessions).toBe(0);
  });
});

describe("an agent", () => {
  it("says that it is ready for each node, after it was installed", async () => {
    const { clock, coordinator, coordination, actions } = open("agent");
    const stop = new AbortController();
    const serving = coordination.serve(await coordinator.open(undefined), stop.signal);
    coordinator.respond({ peerUpdates: [nodeUpdate(peer, 1), nodeUpdate(other, 2)] });
    await clock.advance(0);
    expect(actions).toEqual([`install ${peer}`, `install ${other}`]);
    expect(coordinator.takeRequests()).toEqual([`ready ${peer} ${other}`]);
    coordinator.respond({ peerUpdates: [nodeUpdate(peer, 1)] });
    await clock.advance(0);
    expect(actions).toHaveLength(2);
    expect(coordinator.takeRequests()).toEqual([`ready ${peer}`]);
    stop.abort(new Error("stopped"));
    await expect(serving).rejects.toThrow("stopped");
  });

  it.each([
    { probed: "silent", after: [`install ${peer}`, `remove ${peer}`] },
    { probed: "there", after: [`install ${peer}`] },
  ])("asks a peer that is gone, which is $probed", async ({ probed, after }) => {
    const { clock, coordinator, coordination, actions, probe } = open("agent");
    const serving = coordination.serve(await coordinator.open(undefined), never);
    coordinator.respond({ peerUpdates: [nodeUpdate(peer, 1)] });
    await clock.advance(0);
    coordination.noteHandshake(new Uint8Array(32).fill(1));
    const gone = { ...update(peer, Kind.LOST), reason: "gone" };
    coordinator.respond({ peerUpdates: [gone] });
    if (probed === "there") probe.resolve();
    await clock.advance(30_000);
    await clock.advance(9_999);
    expect(actions).toEqual([`install ${peer}`]);
    await clock.advance(1);
    expect(actions).toEqual(after);
    await Promise.all([coordination.close(), serving]);
  });

  it("serves one session at a time, and none once it has left", async () => {
    const { coordinator, coordination } = open("agent");
    const session = await coordinator.open(undefined);
    const serving = coordination.serve(session, never);
    await expect(coordination.serve(session, never)).rejects.toMatchObject({ code: "busy" });
    await Promise.all([coordination.close(), serving]);
    await expect(coordination.serve(session, never)).rejects.toMatchObject({ code: "closed" });
  });
});
