import { encodeDerpFrame, PeerGoneReason } from "@slipway/wire";

import type { Peer, PeerConnection } from "./peer.ts";
import type { Work } from "./turns.ts";

/** The notices that are given between two looks at the clock. */
const noticesPerPiece = 256;

/** Encodes the notice that a peer has disconnected. */
export function encodeGone(key: Uint8Array): Uint8Array {
  return encodeDerpFrame({ type: "peer-gone", key, reason: PeerGoneReason.disconnected });
}

/** Tells everyone to whom a peer has sent packets that it is gone; no longer, once it is back. */
export class Departure<C extends PeerConnection> implements Work {
  readonly #frame: Uint8Array;
  readonly #destinations: Iterator<Peer<C>>;
  readonly #isBack: () => boolean;

  constructor(peer: Peer<C>, isBack: () => boolean) {
    this.#frame = encodeGone(peer.key);
    this.#destinations = peer.destinations()[Symbol.iterator]();
    this.#isBack = isBack;
  }

  work(): boolean {
    if (this.#isBack()) return false;
    for (let count = 0; count < noticesPerPiece; count += 1) {
      const { done, value } = this.#destinations.next();
      if (done === true) return false;
      value.connections.at(-1)?.notify(this.#frame);
    }
    return true;
  }
}
