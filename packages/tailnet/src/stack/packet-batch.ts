import { ipv6HeaderBytes, writeIpv6Header, type Ipv6Header } from "@slipway/wire";

/** The packets that are handed on at once. */
const batchPackets = 64;

/** Takes packets. The views are reused once it returns: it copies what it keeps. */
export type SendPackets = (packets: readonly Uint8Array[]) => void;

/** Collects packets in buffers that are used again and again, and hands them on in batches. */
export class PacketBatch {
  readonly #send: SendPackets;
  readonly #slots: readonly Uint8Array[];
  #packets: Uint8Array[] = [];

  constructor(mtu: number, send: SendPackets) {
    this.#send = send;
    const bytes = new Uint8Array(batchPackets * mtu);
    this.#slots = Array.from({ length: batchPackets }, (_, slot) =>
      bytes.subarray(slot * mtu, (slot + 1) * mtu),
    );
  }

  /** Returns the buffer of the next packet, as long as the MTU. Its payload begins at 40. */
  get buffer(): Uint8Array {
    const slot = this.#slots[this.#packets.length];
    if (slot === undefined) throw new RangeError("the batch is full");
    return slot;
  }

  /** Adds the packet whose payload was written to `buffer`. */
  push(header: Ipv6Header, payloadBytes: number): void {
    const { buffer } = this;
    writeIpv6Header(buffer, 0, header, payloadBytes);
    const length = ipv6HeaderBytes + payloadBytes;
    this.#packets.push(length === buffer.length ? buffer : buffer.subarray(0, length));
    if (this.#packets.length === this.#slots.length) this.flush();
  }

  /** Hands on what was collected. */
  flush(): void {
    if (this.#packets.length === 0) return;
    const packets = this.#packets;
    this.#packets = [];
    this.#send(packets);
  }
}
