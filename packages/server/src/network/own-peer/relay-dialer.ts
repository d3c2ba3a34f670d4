import { duplexPair } from "node:stream";

import { type Relay, serveSocket } from "@slipway/relay";
import { streamOfSocket } from "@slipway/tailnet/node/socket-stream";
import { RelayError } from "@slipway/tailnet/relay/errors";
import type { FetchLatency, Latency } from "@slipway/tailnet/relay/region-latency";
import type { RelayDialer, RelayStream } from "@slipway/tailnet/relay/relay-stream";

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
