import { getAgentConnection } from "@slipway/api";
import type { Clock, Logger } from "@slipway/runtime";
import {
  agentServiceAddress,
  CoordinationLoop,
  randomClientAddress,
  TailnetPeer,
  type TailnetCrypto,
} from "@slipway/tailnet";
import {
  createFetchLatency,
  createRelayDialer,
  loadNativeCrypto,
  openUdpSocket,
} from "@slipway/tailnet/node";

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

/**
 * Joins the network as a client that may reach one agent; `reach` of the result waits for that. Throws `ApiError` and
 * `ConnectError` of the request for the network's settings, and the signal's reason.
 */
export async function connectWorkspace(
  options: ConnectWorkspaceOptions,
): Promise<WorkspaceConnection> {
  const { client, agentId, clock, logger, disableDirect, signal } = options;
  const [settings, crypto, socket] = await Promise.all([
    client.call(getAgentConnection, { params: { agent: agentId }, signal }),
    loadNativeCrypto(),
    disableDirect ? undefined : openUdpSocket(),
  ]);
  const hasDirect = !settings.disable_direct_connections;
  const { serverUrl } = client;
  const peer = new TailnetPeer({
    role: "client",
    nodeId: randomNodeId(crypto),
    addresses: [randomClientAddress((count) => crypto.randomBytes(count))],
    serverUrl,
    crypto,
    clock,
    logger,
    random: Math.random,
    dialer: createRelayDialer(),
    fetchLatency: createFetchLatency(),
    socket: hasDirect ? socket : undefined,
    forceWebSocket: settings.derp_force_websockets,
  });
  peer.setDerpMap(derpMapMessage(settings.derp_map));
  const { coordination } = peer;
  const service = clientCoordinationService({ client, agentId, clock });
  return new WorkspaceConnection({
    peer,
    agentId,
    address: agentServiceAddress(agentId),
    clock,
    coordinate: (onState, ended) =>
      new CoordinationLoop({
        coordination,
        service,
        clock,
        logger,
        random: Math.random,
        onState,
      }).run(ended),
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
