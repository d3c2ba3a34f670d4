import { derpHeaderBytes } from "@slipway/wire";

import { packetOverheadBytes } from "./limits.ts";

/** Takes packets of one peer, which then belong to the taker; `source` is only valid during the call. */
export type TakePackets = (source: Uint8Array, packets: readonly Uint8Array[]) => void;

/** Gathers the packets of a chunk, and hands on those of one source together. */
export class ReceivedPackets {
  readonly #take: TakePackets;
  #source = new Uint8Array(0);
  #packets: Uint8Array[] = [];

  constructor(take: TakePackets) {
    this.#take = take;
  }

  /** Adds the packet of a whole frame. */
  add(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#isSource(bytes, start + derpHeaderBytes)) {
      this.flush();
      this.#source = bytes.slice(start + derpHeaderBytes, start + packetOverheadBytes);
    }
    this.#packets.push(bytes.subarray(start + packetOverheadBytes, end));
  }

  flush(): void {
    if (this.#packets.length === 0) return;
    const packets = this.#packets;
    this.#packets = [];
    this.#take(this.#source, packets);
  }

  #isSource(bytes: Uint8Array, at: number): boolean {
    const source = this.#source;
    if (source.length === 0) return false;
    for (let index = 0; index < source.length; index += 1) {
      if (bytes[at + index] !== source[index]) return false;
    }
    return true;
  }
}
