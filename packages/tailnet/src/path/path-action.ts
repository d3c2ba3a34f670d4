import type { DiscoMessage } from "@slipway/wire/disco/message";

import type { UdpAddress } from "./udp-address.ts";

/** A peer as the coordinator describes it. */
export interface PathPeer {
  readonly nodeKey: Uint8Array;
  readonly discoKey: Uint8Array;
  readonly homeRegionId: number;
  readonly endpoints: readonly UdpAddress[];
}

/** The way that one packet takes. */
export type PathVia =
  | { readonly kind: "relay"; readonly regionId: number }
  | { readonly kind: "udp"; readonly address: UdpAddress };

/** The current route of data to a peer; `both` until a formerly trusted address answers again or is given up. */
export type PeerRoute =
  | { readonly kind: "relay"; readonly regionId: number }
  | { readonly kind: "udp"; readonly address: UdpAddress }
  | { readonly kind: "both"; readonly regionId: number; readonly address: UdpAddress };

/** The answer to an explicit ping. */
export interface PingAnswer {
  readonly latencyMs: number;
  readonly via: PathVia;
}

/** An instruction to the driver. */
export type PathAction =
  | {
      readonly type: "send";
      readonly peer: PathPeer;
      readonly via: PathVia;
      readonly message: DiscoMessage;
      /** The length to which the packet is padded. */
      readonly packetBytes: number;
      /**
       * True for a packet that must not be fragmented: its pong would prove nothing. If it would be, `not-whole` is
       * reported.
       */
      readonly isWhole: boolean;
    }
  /** Look up our own endpoints, and report them by the event `endpoints`. */
  | { readonly type: "look-up-endpoints" }
  | { readonly type: "ping-answered"; readonly id: number; readonly answer: PingAnswer };

/** Our own endpoints, and the time of their lookup. */
export interface OwnEndpoints {
  readonly addresses: readonly UdpAddress[];
  readonly lookedUpAt: number;
}
