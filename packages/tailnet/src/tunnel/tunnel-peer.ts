import type { WireguardPeer } from "@slipway/wire/wireguard/wireguard-peer";

import type { Sleeper } from "../timing/wake-queue.ts";

/** A peer with the tunnel's bookkeeping. */
export class TunnelPeer implements Sleeper {
  readonly publicKey: Uint8Array;
  readonly protocol: WireguardPeer;
  /** Encrypted packets that leave at the end of the turn. */
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  /** True while something waits for the end of the turn. */
  isDirty = false;
  /** The last reported handshake. */
  reportedHandshakeAt: number | undefined;
  queueIndex = -1;
  queuedFor = 0;

  constructor(publicKey: Uint8Array, protocol: WireguardPeer) {
    this.publicKey = publicKey;
    this.protocol = protocol;
  }

  /** The bytes of the waiting datagrams. */
  get outgoingBytes(): number {
    return this.#outgoingBytes;
  }

  /** Adds an encrypted packet. */
  add(datagram: Uint8Array): void {
    this.#outgoing.push(datagram);
    this.#outgoingBytes += datagram.length;
  }

  /** Removes and returns all waiting datagrams, in order. */
  takeDatagrams(): readonly Uint8Array[] {
    const output = this.protocol.takeOutput();
    const outgoing = this.#outgoing;
    if (outgoing.length === 0) return output;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    return output.length === 0 ? outgoing : [...output, ...outgoing];
  }
}
