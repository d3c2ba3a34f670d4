import { ipv6HeaderBytes, writeIpv6Header } from "@slipway/wire/ip/ipv6";
import type { Ipv6Header } from "@slipway/wire/ip/ipv6";

/** The number of packets handed on at a time, and the room for them. */
const batchPackets = 64;
const batchBytes = 96 * 1024;

/** Sends packets. The views are reused once it returns: it must copy what it keeps. */
export type SendPackets = (packets: readonly Uint8Array[]) => void;

/** Collects packets in one reusable buffer, and hands them on in batches. */
export class PacketBatch {
  readonly #send: SendPackets;
  readonly #largestBytes: number;
  readonly #bytes: Uint8Array;
  #packets: Uint8Array[] = [];
  /** The position of the next packet. */
  #at = 0;

  /** Creates a batch for packets of up to `largestBytes`. */
  constructor(largestBytes: number, send: SendPackets) {
    this.#largestBytes = largestBytes;
    this.#send = send;
    this.#bytes = new Uint8Array(Math.max(batchBytes, largestBytes));
  }

  /** The buffer of the next packet, which has room for the largest. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** The position in the buffer where the payload of the next packet begins. */
  get payloadStart(): number {
    return this.#at + ipv6HeaderBytes;
  }

  /** Adds the packet whose payload was written to its place. */
  push(header: Ipv6Header, payloadBytes: number): void {
    const end = this.payloadStart + payloadBytes;
    writeIpv6Header(this.#bytes, this.#at, header, payloadBytes);
    this.#packets.push(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    const isFull =
      this.#packets.length === batchPackets || end + this.#largestBytes > this.#bytes.length;
    if (isFull) this.flush();
  }

  /** Hands on the collected packets. */
  flush(): void {
    this.#at = 0;
    if (this.#packets.length === 0) return;
    const packets = this.#packets;
    this.#packets = [];
    this.#send(packets);
  }
}
