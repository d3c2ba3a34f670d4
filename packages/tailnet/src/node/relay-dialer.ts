import { withSystemAuthorities } from "@slipway/runtime";

import type { RelayDialer } from "../relay/relay-stream.ts";
import type { RelayRequestOptions } from "./relay-requests.ts";
import { dialByUpgrade } from "./upgrade.ts";
import { dialByWebSocket } from "./websocket.ts";

/** Returns a dialer that reaches relays with sockets of Node.js. */
export function createRelayDialer(options: RelayRequestOptions = {}): RelayDialer {
  return {
    canUpgrade: true,
    dial: (node, transport, signal) =>
      withSystemAuthorities(() =>
        transport === "upgrade"
          ? dialByUpgrade(node, options, signal)
          : dialByWebSocket(node, options, signal),
      ),
  };
}
