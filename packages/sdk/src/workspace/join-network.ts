import { getAgentConnection } from "@slipway/api/agents/connection-routes";
import type { Clock, Logger } from "@slipway/runtime";
import { CoordinationLoop } from "@slipway/tailnet/coordination/coordination-loop";
import { agentServiceAddress } from "@slipway/tailnet/identity/address";

import type { ApiClient } from "../http/client.ts";
import { clientCoordinationService } from "./coordination-service.ts";
import { type NetworkPlatform, openPeer } from "./open-peer.ts";
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
export async function joinNetwork(
  options: ConnectWorkspaceOptions,
  loadPlatform: () => Promise<NetworkPlatform>,
): Promise<WorkspaceConnection> {
  const { client, agentId, clock, logger, signal } = options;
  const { serverUrl } = client;
  const settings = client.call(getAgentConnection, { params: { agent: agentId }, signal });
  const { peer, platform } = await openPeer(settings, loadPlatform(), { serverUrl, clock, logger });
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
