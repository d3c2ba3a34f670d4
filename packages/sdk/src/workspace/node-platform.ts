import {
  createFetchLatency,
  createRelayDialer,
  loadNativeCrypto,
  openUdpSocket,
} from "@slipway/tailnet/node";

import { dialSocket } from "../agent/dial-socket.ts";
import type { ApiClient } from "../http/client.ts";
import type { NetworkPlatform } from "./open-peer.ts";

/** Returns the means of Node.js. */
export async function loadNodePlatform({
  client,
  disableDirect,
}: {
  readonly client: Pick<ApiClient, "headers">;
  readonly disableDirect: boolean;
}): Promise<NetworkPlatform> {
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
}
