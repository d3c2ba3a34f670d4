import { getAgentConnection } from "@slipway/api";
import type { RpcSocket } from "@slipway/rpc";
import type { Clock, Logger } from "@slipway/runtime";
import {
  agentServiceAddress,
  CoordinationLoop,
  type DatagramSocket,
  type FetchLatency,
  randomClientAddress,
  type RelayDialer,
  type TailnetCrypto,
  TailnetPeer,
} from "@slipway/tailnet";

import type { ApiClient } from "../http/client.ts";
import { clientCoordinationService } from "./coordination-service.ts";
import { derpMapMessage } from "./derp-map-message.ts";
import { WorkspaceConnection } from "./workspace-connection.ts";

export interface ConnectWorkspaceOptions {
  readonly client: ApiClient;
  readonly agentId: string;
  /** Uses relays only. */
  readonly disableDirect: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The means of the machine that this side runs on. */
export interface NetworkPlatform {
  readonly crypto: TailnetCrypto;
  readonly dialer: RelayDialer;
  readonly fetchLatency: FetchLatency;
  /** The socket of direct paths, which the connection then owns; undefined where there is none. */
  readonly socket: (DatagramSocket & { close(): Promise<void> }) | undefined;
  readonly dial: (url: URL, signal: AbortSignal) => Promise<RpcSocket>;
}

/**
 * Joins the network as a client that may reach one agent; `reach` of the result waits for that. Throws `ApiError` and
 * `ConnectError` of the request for the network's settings, and the signal's reason.
 */
export async function joinNetwork(
  options: ConnectWorkspaceOptions,
  loadPlatform: () => Promise<NetworkPlatform>,
): Promise<WorkspaceConnection> {
  const { client, agentId, clock, logger, signal } = options;
  const [settings, platform] = await Promise.all([
    client.call(getAgentConnection, { params: { agent: agentId }, signal }),
    loadPlatform(),
  ]);
  const { crypto, dialer, fetchLatency, socket, dial } = platform;
  const peer = new TailnetPeer({
    role: "client",
    nodeId: randomNodeId(crypto),
    addresses: [randomClientAddress((count) => crypto.randomBytes(count))],
    serverUrl: client.serverUrl,
    crypto,
    clock,
    logger,
    random: Math.random,
    dialer,
    fetchLatency,
    socket: settings.disable_direct_connections ? undefined : socket,
    forceWebSocket: settings.derp_force_websockets,
  });
  peer.setDerpMap(derpMapMessage(settings.derp_map));
  const { coordination } = peer;
  const service = clientCoordinationService({ client, agentId, clock, dial });
  const loop = { coordination, service, clock, logger, random: Math.random };
  return new WorkspaceConnection({
    peer,
    agentId,
    address: agentServiceAddress(agentId),
    clock,
    coordinate: (onState, ended) => new CoordinationLoop({ ...loop, onState }).run(ended),
    closeSockets: async () => {
      await socket?.close();
    },
  });
}

/** Returns 63 random bits (docs/protocol/tailnet.md §2.1). */
function randomNodeId(crypto: TailnetCrypto): bigint {
  const bytes = crypto.randomBytes(8);
  return BigInt.asUintN(63, new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
}
