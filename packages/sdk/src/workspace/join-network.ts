import { type ConnectionInfo, getAgentConnection } from "@slipway/api/agents/connection-routes";
import type { RpcSocket } from "@slipway/rpc";
import type { Clock, Logger } from "@slipway/runtime";
import { CoordinationLoop } from "@slipway/tailnet/coordination/coordination-loop";
import { randomNodeId } from "@slipway/tailnet/coordination/self-node";
import type { TailnetCrypto } from "@slipway/tailnet/crypto/crypto";
import { agentServiceAddress, randomClientAddress } from "@slipway/tailnet/identity/address";
import { TailnetPeer } from "@slipway/tailnet/net/tailnet-peer";
import type { DatagramSocket } from "@slipway/tailnet/path/datagram-socket";
import { derpMapMessage } from "@slipway/tailnet/relay/derp-map-message";
import type { FetchLatency } from "@slipway/tailnet/relay/region-latency";
import type { RelayDialer } from "@slipway/tailnet/relay/relay-stream";

import type { ApiClient } from "../http/client.ts";
import { clientCoordinationService } from "./coordination-service.ts";
import { WorkspaceConnection } from "./workspace-connection.ts";

export interface ConnectWorkspaceOptions {
  readonly client: ApiClient;
  readonly agentId: string;
  /** The network's settings, if they have been requested earlier (default: requests them). */
  readonly settings?: Promise<ConnectionInfo>;
  /** Uses relays only. */
  readonly disableDirect: boolean;
  /** Receives the packets of both directions in the clear, as views that are valid during the call. */
  readonly onPackets?: ((packets: readonly Uint8Array[]) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Joins the network as a client that may reach one agent; `reach` of the result waits for the agent. Throws `ApiError`
 * and `ConnectError` of the request for the network's settings, and the signal's reason.
 */
export async function joinNetwork(
  options: ConnectWorkspaceOptions,
  loadPlatform: () => Promise<NetworkPlatform>,
): Promise<WorkspaceConnection> {
  const { client, agentId, onPackets, clock, logger, signal } = options;
  const { serverUrl } = client;
  const { settings = client.call(getAgentConnection, { params: { agent: agentId }, signal }) } =
    options;
  const { peer, platform } = await openPeer(settings, loadPlatform(), {
    serverUrl,
    onPackets,
    clock,
    logger,
  });
  const { coordination } = peer;
  const service = clientCoordinationService({ client, agentId, clock, dial: platform.dial });
  const loop = { coordination, service, clock, logger, random: Math.random };
  return new WorkspaceConnection({
    peer,
    agentId,
    address: agentServiceAddress(agentId),
    clock,
    coordinate: (onState, ended) => new CoordinationLoop({ ...loop, onState }).run(ended),
    closeSockets: async () => {
      await platform.socket?.close();
    },
  });
}

/** The facilities of the machine that this side runs on. */
export interface NetworkPlatform {
  readonly crypto: TailnetCrypto;
  readonly dialer: RelayDialer;
  readonly fetchLatency: FetchLatency;
  /** The socket of direct paths, which the peer's owner closes; undefined if there is none. */
  readonly socket: (DatagramSocket & { close(): Promise<void> }) | undefined;
  readonly dial: (url: URL, signal: AbortSignal) => Promise<RpcSocket>;
}

interface OpenPeerOptions extends Pick<ConnectWorkspaceOptions, "onPackets"> {
  readonly serverUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A peer and its platform. The opener closes the peer, then the socket of the platform. */
interface OpenedPeer {
  readonly peer: TailnetPeer;
  readonly platform: NetworkPlatform;
}

/** Opens a client's peer once both its settings and its platform are available. Throws the error of either. */
export async function openPeer(
  settings: Promise<ConnectionInfo>,
  loading: Promise<NetworkPlatform>,
  options: OpenPeerOptions,
): Promise<OpenedPeer> {
  try {
    const [info, platform] = await Promise.all([settings, loading]);
    return { peer: createPeer(info, platform, options), platform };
  } catch (error) {
    const platform = await loading.catch(() => undefined);
    await platform?.socket?.close();
    throw error;
  }
}

function createPeer(
  settings: ConnectionInfo,
  { crypto, dialer, fetchLatency, socket }: NetworkPlatform,
  { serverUrl, onPackets, clock, logger }: OpenPeerOptions,
): TailnetPeer {
  const randomBytes = (count: number): Uint8Array => crypto.randomBytes(count);
  const peer = new TailnetPeer({
    role: "client",
    nodeId: randomNodeId(randomBytes),
    addresses: [randomClientAddress(randomBytes)],
    serverUrl,
    crypto,
    clock,
    logger,
    random: Math.random,
    dialer,
    fetchLatency,
    socket: settings.disable_direct_connections ? undefined : socket,
    onPackets,
    forceWebSocket: settings.derp_force_websockets,
  });
  peer.setDerpMap(derpMapMessage(settings.derp_map));
  return peer;
}
