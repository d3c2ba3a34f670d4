import {
  derpHeaderBytes,
  derpKeyBytes,
  DerpFrameType,
  maxDerpPacketBytes,
  writeDerpHeader,
} from "@slipway/wire/derp/header";

import { packetOverheadBytes } from "./limits.ts";

/**
 * Encodes packets for one peer, copied into one buffer; the frames are views of it. Packets larger than a relay
 * carries are left out (docs/protocol/tailnet.md §4.5).
 */
export function encodeSentPackets(
  destination: Uint8Array,
  packets: readonly Uint8Array[],
): Uint8Array[] {
  const fitting = packets.filter(({ length }) => length <= maxDerpPacketBytes);
  let total = 0;
  for (const { length } of fitting) total += packetOverheadBytes + length;
  const bytes = new Uint8Array(total);
  let at = 0;
  return fitting.map((packet) => {
    const start = at;
    const length = derpKeyBytes + packet.length;
    writeDerpHeader(bytes, start, { type: DerpFrameType.sendPacket, length });
    bytes.set(destination, start + derpHeaderBytes);
    bytes.set(packet, start + packetOverheadBytes);
    at = start + derpHeaderBytes + length;
    return bytes.subarray(start, at);
  });
}

/** Takes ownership of the packets of one peer; `source` is only valid during the call. */
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
