import { randomBytes } from "node:crypto";

import { Relay, sodiumCrypto } from "@slipway/relay";
import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import {
  agentAddresses,
  CoordinationLoop,
  nodeIdOf,
  nobleCrypto,
  TailnetPeer,
  type TcpStream,
} from "@slipway/tailnet";
import { createFetchLatency, createRelayDialer, openUdpSocket } from "@slipway/tailnet/node";
import {
  CoordinateRequestSchema,
  CoordinateResponseSchema,
  createMessage,
  DERPMapSchema,
} from "@slipway/wire";
import { expect, it, onTestFinished, vi } from "vitest";

import { derpMapMessage, relayMap } from "../../features/agents/derp-map.ts";
import { coordinateAgentPeer } from "../agent-peer.ts";
import { Coordinator } from "../coordinator/coordinator.ts";
import { MemoryPeers } from "../coordinator/memory-directory.ts";
import { defaultDirectoryTimes } from "../coordinator/peer-directory.ts";
import { openOwnNetwork } from "./open-own-network.ts";
import { OwnPeer } from "./own-peer.ts";
import { ownFetchLatency, ownRelayDialer, ownServerUrl } from "./relay-dialer.ts";

const agentId = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
const otherId = "00112233-4455-4677-8899-aabbccddeeff";
const echoPort = 4321;

const limit = (): AbortSignal => AbortSignal.timeout(20_000);

/** Passes time twenty times as fast for those who sleep. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 20, signal),
};

interface WorldOptions {
  readonly clock?: Clock;
  readonly disableDirect?: boolean;
}

/** The parts of a server that its own peer uses, in memory. */
function openWorld({ clock = systemClock, disableDirect = true }: WorldOptions = {}) {
  const directory = new MemoryPeers(defaultDirectoryTimes).open();
  const coordinator = new Coordinator({ directory, clock: systemClock, logger: silentLogger });
  const relay = new Relay({ crypto: sodiumCrypto, clock: systemClock, logger: silentLogger });
  onTestFinished(() => coordinator[Symbol.asyncDispose]());
  onTestFinished(() => relay.close());
  const readDerpMap = () => relayMap("http://127.0.0.1:1", undefined);
  const outcomes: string[] = [];
  let opened = 0;
  const ownPeer = new OwnPeer({
    open: () => {
      opened += 1;
      return openOwnNetwork({
        coordinator,
        relay,
        readDerpMap,
        disableDirect,
        clock,
        logger: silentLogger,
      });
    },
    onDial: (outcome) => outcomes.push(outcome),
    onFailure: () => outcomes.push("failure"),
    logger: silentLogger,
  });
  onTestFinished(() => ownPeer.close());
  return { coordinator, relay, readDerpMap, ownPeer, outcomes, opened: () => opened };
}

type World = ReturnType<typeof openWorld>;

/** Joins the network as an agent, which echoes what comes to one port. */
async function joinAgent(world: World, id: string, hasUdp = false): Promise<TailnetPeer> {
  const { coordinator, relay, readDerpMap } = world;
  const socket = hasUdp ? await openUdpSocket() : undefined;
  const peer = new TailnetPeer({
    role: "agent",
    nodeId: nodeIdOf(id),
    addresses: agentAddresses(id),
    serverUrl: ownServerUrl,
    crypto: nobleCrypto,
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    dialer: ownRelayDialer({ relay, others: createRelayDialer() }),
    fetchLatency: ownFetchLatency(createFetchLatency()),
    socket,
    forceWebSocket: false,
  });
  onTestFinished(async () => {
    await peer.close();
    await socket?.close();
  });
  // As an agent has it from its manifest.
  const map = createMessage(DERPMapSchema, derpMapMessage(readDerpMap()));
  peer.setDerpMap(map);
  // A first handshake that the relay cannot deliver yet is repeated after five seconds only.
  await vi.waitFor(() => expect(peer.status.relays[0]?.connection.type).toBe("connected"));
  const agent = {
    agentId: id,
    agentName: "main",
    workspaceId: id,
    buildId: id,
    ownerId: id,
    authenticatedAt: "",
  };
  const session = { agent, reserve: () => 0, logger: silentLogger };
  const loop = new CoordinationLoop({
    coordination: peer.coordination,
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    service: {
      verdict: () => "retry",
      open: async () => ({
        closed: new Promise(() => undefined),
        async *coordinate(requests, signal) {
          const needs = { coordinator, clock: systemClock, readDerpMap };
          const messages = mapAll(requests, (one) => createMessage(CoordinateRequestSchema, one));
          for await (const one of coordinateAgentPeer(needs, session, messages, signal)) {
            yield createMessage(CoordinateResponseSchema, one);
          }
        },
        async *derpMaps(signal) {
          yield map;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
        refreshResumeToken: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      }),
    },
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  loop.run(stop.signal).catch(() => undefined);
  void serveEcho(peer);
  return peer;
}

async function* mapAll<A, B>(items: AsyncIterable<A>, map: (item: A) => B) {
  for await (const item of items) yield map(item);
}

async function serveEcho({ stack }: TailnetPeer): Promise<void> {
  for await (const stream of stack.listen(echoPort)) void echo(stream).catch(() => undefined);
}

async function echo(stream: TcpStream): Promise<void> {
  const { signal } = new AbortController();
  for (let part = await stream.read(signal); part; part = await stream.read(signal)) {
    await stream.write(part, signal);
  }
  stream.finish();
}

async function expectEcho(world: World, id: string, bytes: Uint8Array): Promise<void> {
  const agent = await world.ownPeer.reachAgent(id, limit());
  const stream = await agent.dial(echoPort, limit());
  stream.end(bytes);
  const echoed = Buffer.concat(await stream.toArray({ signal: limit() }));
  expect(echoed.equals(bytes)).toBe(true);
}

it.each([
  { path: "the relay within the process", disableDirect: true },
  { path: "a direct path", disableDirect: false },
])("carries every byte to agents and back over $path", async ({ disableDirect }) => {
  const world = openWorld({ disableDirect });
  await joinAgent(world, agentId, !disableDirect);
  await joinAgent(world, otherId, !disableDirect);
  await Promise.all([
    expectEcho(world, agentId, randomBytes(3_000_000)),
    expectEcho(world, agentId, randomBytes(1_000_000)),
    expectEcho(world, otherId, randomBytes(1_000_000)),
  ]);
  expect(world.opened()).toBe(1);
  expect(world.ownPeer.size.tunnels).toBe(2);
  expect(world.outcomes).toEqual(["connected", "connected", "connected"]);
  await vi.waitFor(() => expect(world.ownPeer.size.connections).toBe(0));
});

it("offers agents no service", async () => {
  const world = openWorld();
  const agent = await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  const incoming = agent.stack.listen(7777)[Symbol.asyncIterator]();
  const stream = await reached.dial(7777, limit());
  onTestFinished(() => void stream.destroy());
  const { value } = await incoming.next();
  const { address } = value?.remote ?? {};
  if (address === undefined) throw new Error("no connection");
  for (const port of [1, 2, 4, 22, 80, 443, 3000, 7777, 65_535]) {
    const dialed = agent.stack.connect({ address, port }, { signal: limit() });
    await expect(dialed).rejects.toMatchObject({ code: "refused" });
  }
});

it("names the rung that failed", async () => {
  const world = openWorld({ clock: hastyClock });
  const unknown = world.ownPeer.reachAgent(otherId, limit());
  await expect(unknown).rejects.toMatchObject({
    code: "unreachable",
    rung: "agent",
    message: "Internal error dialing workspace agent.",
    detail: "agent is unreachable: it has not joined the network",
  });
  const agent = await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  await expect(reached.dial(9, limit())).rejects.toMatchObject({ rung: "port" });
  expect(world.outcomes).toEqual(["agent", "port"]);
  // Its network is gone without a word.
  await agent.stack.close();
  await expect(reached.dial(echoPort, limit())).rejects.toMatchObject({ rung: "handshake" });
});

it("has those who wait give up on their own, and reaches an agent that comes late", async () => {
  const world = openWorld();
  const impatient = world.ownPeer.reachAgent(agentId, AbortSignal.timeout(50));
  const patient = world.ownPeer.reachAgent(agentId, limit());
  await expect(impatient).rejects.toMatchObject({ name: "TimeoutError" });
  await joinAgent(world, agentId);
  await patient;
});

it("replaces its peer after a failure", async () => {
  let fault = Promise.withResolvers<never>();
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => Promise.race([systemClock.sleep(ms, signal), fault.promise]),
  };
  const world = openWorld({ clock });
  await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  const stream = await reached.dial(echoPort, limit());
  const ended = new Promise((resolve) => stream.on("error", resolve).resume());
  const { reject } = fault;
  fault = Promise.withResolvers();
  reject(new Error("the clock stopped"));
  await vi.waitFor(() => expect(world.outcomes).toContain("failure"));
  await ended;
  // The same handle works with the next peer.
  const next = await reached.dial(echoPort, limit());
  next.end("hello");
  expect(Buffer.concat(await next.toArray({ signal: limit() })).toString()).toBe("hello");
  expect(world.opened()).toBe(2);
});

it("reaches nobody once it is closed", async () => {
  const world = openWorld();
  await joinAgent(world, agentId);
  const reached = await world.ownPeer.reachAgent(agentId, limit());
  const stream = await reached.dial(echoPort, limit());
  const ended = new Promise((resolve) => stream.on("error", resolve).resume());
  await world.ownPeer.close();
  await ended;
  await expect(reached.dial(echoPort, limit())).rejects.toMatchObject({ code: "unavailable" });
});
