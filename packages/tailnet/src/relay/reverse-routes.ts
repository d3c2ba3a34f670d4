import { encodeHex } from "@slipway/wire/bytes/hex";

import { maxReverseRoutes } from "./limits.ts";

/** The region from which each peer was last heard (docs/protocol/tailnet.md §2.8). */
export class ReverseRoutes {
  readonly #regions = new Map<string, number>();

  find(peerKey: Uint8Array): number | undefined {
    return this.#regions.get(encodeHex(peerKey));
  }

  note(peerKey: Uint8Array, regionId: number): void {
    const key = encodeHex(peerKey);
    if (this.#regions.get(key) === regionId) return;
    if (this.#regions.size >= maxReverseRoutes) this.#forgetOldest();
    this.#regions.delete(key);
    this.#regions.set(key, regionId);
  }

  /** Forgets a peer that is gone from a region. */
  forget(peerKey: Uint8Array, regionId: number): void {
    const key = encodeHex(peerKey);
    if (this.#regions.get(key) === regionId) this.#regions.delete(key);
  }

  #forgetOldest(): void {
    for (const key of this.#regions.keys()) {
      this.#regions.delete(key);
      return;
    }
  }
}
