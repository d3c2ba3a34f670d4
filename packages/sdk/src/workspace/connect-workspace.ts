import {
  createFetchLatency,
  createRelayDialer,
  loadNativeCrypto,
  openUdpSocket,
} from "@slipway/tailnet/node";

import { dialSocket } from "../agent/dial-socket.ts";
import { type ConnectWorkspaceOptions, joinNetwork } from "./join-network.ts";
import type { WorkspaceConnection } from "./workspace-connection.ts";

/** Joins the network with the means of Node.js, as `joinNetwork` does. */
export function connectWorkspace(options: ConnectWorkspaceOptions): Promise<WorkspaceConnection> {
  const { client, disableDirect } = options;
  return joinNetwork(options, async () => {
    const [crypto, socket] = await Promise.all([
      loadNativeCrypto(),
      disableDirect ? undefined : openUdpSocket(),
    ]);
    return {
      crypto,
      socket,
      // A relay may be somebody else's: it gets neither token nor headers.
      dialer: createRelayDialer(),
      fetchLatency: createFetchLatency(),
      dial: (url, signal) =>
        dialSocket(url, { headers: client.headers, signal, onRequest: undefined }),
    };
  });
}
