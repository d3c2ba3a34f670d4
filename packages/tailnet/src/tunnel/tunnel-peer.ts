import type { WireguardPeer } from "@slipway/wire";

import type { Sleeper } from "../timing/wake-queue.ts";

/** A peer with what the tunnel knows of it. */
export class TunnelPeer implements Sleeper {
  readonly publicKey: Uint8Array;
  readonly protocol: WireguardPeer;
  /** Encrypted packets that leave at the end of the turn. */
  outgoing: Uint8Array[] = [];
  /** True while something waits for the end of the turn. */
  isDirty = false;
  /** The handshake that was reported last. */
  reportedHandshakeAt: number | undefined;
  queueIndex = -1;
  queuedFor = 0;

  constructor(publicKey: Uint8Array, protocol: WireguardPeer) {
    this.publicKey = publicKey;
    this.protocol = protocol;
  }

  /** Takes all datagrams that wait, in order. */
  takeDatagrams(): readonly Uint8Array[] {
    const output = this.protocol.takeOutput();
    const { outgoing } = this;
    if (outgoing.length === 0) return output;
    this.outgoing = [];
    return output.length === 0 ? outgoing : [...output, ...outgoing];
  }
}
