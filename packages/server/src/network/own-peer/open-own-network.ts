import { randomUUID } from "node:crypto";
import { duplexPair } from "node:stream";

import { type Relay, serveSocket } from "@slipway/relay";
import { type Clock, type Logger, LoopTurn } from "@slipway/runtime";
import { CoordinationLoop } from "@slipway/tailnet/coordination/coordination-loop";
import { randomNodeId } from "@slipway/tailnet/coordination/self-node";
import { randomClientAddress } from "@slipway/tailnet/identity/address";
import { TailnetPeer } from "@slipway/tailnet/net/tailnet-peer";
import { createFetchLatency } from "@slipway/tailnet/node/fetch-latency";
import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import { streamOfSocket } from "@slipway/tailnet/node/socket-stream";
import { openUdpSocket } from "@slipway/tailnet/node/udp-socket";
import { RelayError } from "@slipway/tailnet/relay/errors";
import type { FetchLatency, Latency } from "@slipway/tailnet/relay/region-latency";
import type { RelayDialer, RelayStream } from "@slipway/tailnet/relay/relay-stream";

import { holderPrefixes } from "../../features/agents/connections/visits.ts";
import type { ReadDerpMap } from "../../features/agents/manifest/derp-map.ts";
import type { CoordinatedPeer } from "../coordinator/coordinate.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { serverPolicy } from "../coordinator/peer-policy.ts";
import { ownCoordination } from "./coordination-service.ts";
import { OwnNetwork } from "./own-network.ts";

/** The time that packets from agents may take in each turn of the event loop, however small they are. */
const maxReceiveMs = 2;

interface OpenOwnNetworkOptions {
  readonly coordinator: Coordinator;
  readonly relay: Pick<Relay, "accept" | "isClosing">;
  readonly readDerpMap: ReadDerpMap;
  /** Uses relays only. */
  readonly disableDirect: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Joins the network as the server itself: coordinated and relayed within the process, and directly where that works.
 * Nothing listens on this peer, so it gives no access to the server. Throws the system's error if no socket is left.
 */
export async function openOwnNetwork(options: OpenOwnNetworkOptions): Promise<OwnNetwork> {
  const { coordinator, relay, readDerpMap, disableDirect, clock, logger } = options;
  const [crypto, socket] = await Promise.all([
    loadNativeCrypto((reason) =>
      logger.warn({ reason }, "cannot load libsodium; using slower cryptography"),
    ),
    disableDirect ? undefined : openUdpSocket(),
  ]);
  const randomBytes = (count: number): Uint8Array => crypto.randomBytes(count);
  const peer = new TailnetPeer({
    role: "client",
    nodeId: randomNodeId(randomBytes),
    addresses: [randomClientAddress(randomBytes)],
    serverUrl: ownServerUrl,
    crypto,
    clock,
    logger,
    random: Math.random,
    dialer: ownRelayDialer({ relay, others: createRelayDialer() }),
    fetchLatency: ownFetchLatency(createFetchLatency()),
    socket,
    receiveTurn: new LoopTurn(maxReceiveMs),
    forceWebSocket: false,
  });
  const { coordination } = peer;
  const self = serverPeer(logger);
  return new OwnNetwork({
    peer,
    clock,
    coordinate: (isWanted, onState, signal) => {
      const needs = { coordinator, peer: self, readDerpMap, clock, isWanted };
      const service = ownCoordination(needs);
      const random = Math.random;
      const loop = new CoordinationLoop({ coordination, service, clock, logger, random, onState });
      return loop.run(signal);
    },
    closeSocket: async () => {
      await socket?.close();
    },
  });
}

/** Returns the server as a peer, whose id is new each time (docs/protocol/tailnet.md §1.2). */
function serverPeer(logger: Logger): CoordinatedPeer {
  const id = randomUUID();
  return {
    id,
    holder: `${holderPrefixes.server}${id}`,
    keyId: undefined,
    ip: undefined,
    policy: serverPolicy,
    recall: undefined,
    latencyOf: undefined,
    leaving: async () => "disconnected",
    reserve: () => 0,
    log: () => logger,
  };
}

/** The name by which the server's own peer knows the relay of its process; no name server knows it (RFC 2606 §2). */
const ownHost = "own-relay.invalid";
/** The server's URL for that peer, from which it derives the address of the embedded relay. */
export const ownServerUrl = `http://${ownHost}`;

/** The latency of a relay within the process: less than that of any other. */
const ownLatency: Latency = { latencyMs: 0.1, family: "v6" };

interface OwnDialerNeeds {
  readonly relay: Pick<Relay, "accept" | "isClosing">;
  /** Dials the relays of other regions. */
  readonly others: RelayDialer;
}

/** Returns a dialer that reaches the relay of the process over a pipe in memory, and others over the network. */
export function ownRelayDialer({ relay, others }: OwnDialerNeeds): RelayDialer {
  return {
    canUpgrade: true,
    dial: async (node, transport, signal) => {
      if (node.hostName !== ownHost) return others.dial(node, transport, signal);
      if (relay.isClosing) throw new RelayError("tcp", "the server is shutting down");
      return openPipe(relay);
    },
  };
}

/** Returns the latency check of the same relays. */
export function ownFetchLatency(others: FetchLatency): FetchLatency {
  return async (node, signal) => (node.hostName === ownHost ? ownLatency : others(node, signal));
}

function openPipe(relay: Pick<Relay, "accept">): RelayStream {
  const [near, far] = duplexPair();
  // Otherwise an end that is destroyed leaves the other one waiting.
  near.once("close", () => far.destroy());
  far.once("close", () => near.destroy());
  const stream = streamOfSocket(near, new Uint8Array());
  serveSocket(far, (transport) => relay.accept(transport, { isPeer: true }));
  return stream;
}
