import { createFetchLatency } from "@slipway/tailnet/node/fetch-latency";
import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import { openUdpSocket } from "@slipway/tailnet/node/udp-socket";

import { dialSocket } from "../agent/dial-socket.ts";
import type { ApiClient } from "../http/client.ts";
import { type ConnectWorkspaceOptions, joinNetwork, type NetworkPlatform } from "./join-network.ts";
import type { WorkspaceConnection } from "./workspace-connection.ts";

/** Joins the network on Node.js, as `joinNetwork` does. */
export function connectWorkspace(options: ConnectWorkspaceOptions): Promise<WorkspaceConnection> {
  return joinNetwork(options, () => loadNodePlatform(options));
}

/** Returns the platform of Node.js. */
export async function loadNodePlatform({
  client,
  disableDirect,
}: {
  readonly client: Pick<ApiClient, "headers" | "proxyHeaders" | "serverUrl">;
  readonly disableDirect: boolean;
}): Promise<NetworkPlatform> {
  const [crypto, socket] = await Promise.all([
    loadNativeCrypto(),
    disableDirect ? undefined : openUdpSocket(),
  ]);
  // A relay may be someone else's: it gets no token, and headers only if a proxy in front of the server requires them.
  const relays = {
    headers: client.proxyHeaders,
    headersOrigin: new URL(client.serverUrl).origin,
  };
  return {
    crypto,
    socket,
    dialer: createRelayDialer(relays),
    fetchLatency: createFetchLatency(relays),
    dial: (url, signal) =>
      dialSocket(url, { headers: client.headers, signal, onRequest: undefined }),
  };
}
