import type { Clock, Logger } from "@slipway/runtime";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import type { DatagramSocket } from "../path/datagram-socket.ts";
import type { ReceiveTurn } from "../path/received-turns.ts";
import type { FetchLatency } from "../relay/region-latency.ts";
import type { RelayDialer } from "../relay/relay-stream.ts";

export interface TailnetPeerOptions {
  /** An agent accepts connections; a client opens tunnels. */
  readonly role: "agent" | "client";
  /** The number of its node: `nodeIdOf` of an agent's id, or 63 random bits. */
  readonly nodeId: bigint;
  /** The addresses of this side; the first is the source of outgoing packets. */
  readonly addresses: readonly Uint8Array[];
  /** The server's URL as this side reaches it, also used for the server's embedded relay. */
  readonly serverUrl: string;
  readonly crypto: TailnetCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  readonly dialer: RelayDialer;
  readonly fetchLatency: FetchLatency;
  /** The socket of direct paths, closed by its opener after the peer; undefined if only relays are used. */
  readonly socket: DatagramSocket | undefined;
  /** The time budget for received data in each turn of the event loop (default: unlimited). */
  readonly receiveTurn?: ReceiveTurn;
  /** Receives the packets of both directions in the clear, as views that are valid during the call. */
  readonly onPackets?: ((packets: readonly Uint8Array[]) => void) | undefined;
  /** Reaches relays by WebSocket from the first attempt. */
  readonly forceWebSocket: boolean;
}
