import type { DiscoMessage } from "@slipway/wire/disco/message";

import type { PathAction, PathPeer, PathVia } from "./path-action.ts";
import { toDiscoEndpoint, type UdpAddress } from "./udp-address.ts";

/** The address that stands for a relay; its port is the region (docs/protocol/tailnet.md §6.2). */
const relayAddress = "127.3.3.40";

/** The messages about paths to one peer (docs/protocol/tailnet.md §6.2). */
export class DiscoSender {
  /** The peer's latest description. */
  peer: PathPeer;
  readonly #nodeKey: Uint8Array;
  readonly #emit: (action: PathAction) => void;

  /** `nodeKey` is our own node key. */
  constructor(peer: PathPeer, nodeKey: Uint8Array, emit: (action: PathAction) => void) {
    this.peer = peer;
    this.#nodeKey = nodeKey;
    this.#emit = emit;
  }

  /** The way over the peer's relay. */
  get relay(): PathVia {
    return { kind: "relay", regionId: this.peer.homeRegionId };
  }

  /** Sends a ping; `isWhole` if the packet must not be fragmented. */
  ping(
    via: PathVia,
    transactionId: Uint8Array,
    { packetBytes, isWhole }: { readonly packetBytes: number; readonly isWhole: boolean },
  ): void {
    this.#send(via, { type: "ping", transactionId, nodeKey: this.#nodeKey }, packetBytes, isWhole);
  }

  /** Answers a ping, over the way by which it came. */
  pong(via: PathVia, transactionId: Uint8Array, packetBytes: number): void {
    const source = toDiscoEndpoint(
      via.kind === "udp" ? via.address : { address: relayAddress, port: via.regionId },
    );
    this.#send(via, { type: "pong", transactionId, source }, packetBytes);
  }

  /** Asks the peer to ping our addresses. */
  call(addresses: readonly UdpAddress[]): void {
    this.#send(this.relay, { type: "call-me-maybe", endpoints: addresses.map(toDiscoEndpoint) }, 0);
  }

  #send(via: PathVia, message: DiscoMessage, packetBytes: number, isWhole = false): void {
    this.#emit({ type: "send", peer: this.peer, via, message, packetBytes, isWhole });
  }
}
