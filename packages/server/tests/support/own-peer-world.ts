import { Relay, sodiumCrypto } from "@slipway/relay";
import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { CoordinationLoop } from "@slipway/tailnet/coordination/coordination-loop";
import { nodeIdOf } from "@slipway/tailnet/coordination/self-node";
import { nobleCrypto } from "@slipway/tailnet/crypto/noble-crypto";
import { agentAddresses } from "@slipway/tailnet/identity/address";
import { TailnetPeer } from "@slipway/tailnet/net/tailnet-peer";
import { createFetchLatency } from "@slipway/tailnet/node/fetch-latency";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import type { DatagramSocket } from "@slipway/tailnet/path/datagram-socket";
import { derpMapMessage } from "@slipway/tailnet/relay/derp-map-message";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import {
  CoordinateRequestSchema,
  CoordinateResponseSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { expect, onTestFinished, vi } from "vitest";

import { type ReadDerpMap, relayMap } from "../../src/features/agents/manifest/derp-map.ts";
import { coordinateAgentPeer } from "../../src/network/coordinator/agent-peer.ts";
import { Coordinator } from "../../src/network/coordinator/coordinator.ts";
import { defaultDirectoryTimes } from "../../src/network/coordinator/peer-directory.ts";
import {
  openOwnNetwork,
  ownFetchLatency,
  ownRelayDialer,
  ownServerUrl,
} from "../../src/network/own-peer/open-own-network.ts";
import { OwnPeer } from "../../src/network/own-peer/own-peer.ts";
import { MemoryPeers } from "./memory-directory.ts";

/* The parts of a server around its own peer, and agents that it reaches, all in memory. */

export const agentId = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
export const otherId = "00112233-4455-4677-8899-aabbccddeeff";
export const echoPort = 4321;

export const limit = (): AbortSignal => AbortSignal.timeout(20_000);

/** A clock that runs twenty times as fast for sleepers. */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 20, signal),
};

interface WorldOptions {
  readonly clock?: Clock;
  readonly disableDirect?: boolean;
}

/** The parts of a server that its own peer uses, in memory. */
export interface World {
  readonly coordinator: Coordinator;
  readonly relay: Relay;
  readonly readDerpMap: ReadDerpMap;
  readonly ownPeer: OwnPeer;
  /** The outcomes of the attempts to reach agents. */
  readonly outcomes: readonly string[];
  /** Returns how often the peer was opened. */
  opened(): number;
}

export function openWorld({ clock = systemClock, disableDirect = true }: WorldOptions = {}): World {
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

type OwnedSocket = DatagramSocket & { close(): Promise<void> };

/**
 * Joins the network as an agent, which echoes data on one port; it closes the socket of direct paths, without which it
 * uses relays only.
 */
export async function joinAgent(
  world: World,
  id: string,
  socket?: OwnedSocket,
): Promise<TailnetPeer> {
  const { coordinator, relay, readDerpMap } = world;
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
  // As an agent gets it from its manifest.
  const map = derpMapMessage(readDerpMap());
  peer.setDerpMap(map);
  // A first handshake that the relay cannot deliver yet is repeated only after five seconds.
  const isConnected = () => peer.status.relays[0]?.connection.type === "connected";
  await vi.waitUntil(isConnected, { timeout: 10_000 });
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

async function* mapAll<A, B>(
  items: AsyncIterable<A>,
  map: (item: A) => B,
): AsyncGenerator<B, void, undefined> {
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

export async function expectEcho(world: World, id: string, bytes: Uint8Array): Promise<void> {
  const agent = await world.ownPeer.reachAgent(id, limit());
  const stream = await agent.dial(echoPort, limit());
  stream.end(bytes);
  const echoed = Buffer.concat(await stream.toArray({ signal: limit() }));
  expect(echoed.equals(bytes)).toBe(true);
}
