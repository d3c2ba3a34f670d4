import { createCipheriv, randomFillSync } from "node:crypto";

import {
  blockBytes,
  GcmDirection,
  type GcmState,
  lengthBytes,
  minPaddingBytes,
  tagBytes,
} from "./gcm-direction.ts";

/** The size from which packets are built in `scratch` and written in parts, which saves a copy. */
const largePacketBytes = 4096;

/** The buffer in which all connections build their large packets, each of which is sealed in the same turn. */
const scratch = Buffer.allocUnsafeSlow(33 * 1024);

/** Seals packets to send. ssh2 calls it like its own ciphers. */
export class GcmSealer {
  /** The number of the next packet. */
  outSeqno: number;
  readonly #direction: GcmDirection;
  readonly #write: (bytes: Uint8Array) => void;
  #isFree = false;

  /** `write` may keep the bytes. */
  constructor(state: GcmState, write: (bytes: Uint8Array) => void) {
    this.outSeqno = state.sequence;
    this.#direction = new GcmDirection(state);
    this.#write = write;
  }

  /** Returns a packet with room for a payload behind its first five bytes, until the next packet is allocated. */
  allocPacket(payloadBytes: number): Buffer {
    const sealed = 1 + payloadBytes;
    const missing = blockBytes - (sealed % blockBytes);
    const padding = missing < minPaddingBytes ? missing + blockBytes : missing;
    const bytes = lengthBytes + sealed + padding;
    const isInScratch = bytes >= largePacketBytes && bytes <= scratch.length;
    const packet = isInScratch ? scratch.subarray(0, bytes) : Buffer.allocUnsafe(bytes);
    packet.writeUInt32BE(bytes - lengthBytes);
    packet[lengthBytes] = padding;
    fillPadding(packet, bytes - padding);
    return packet;
  }

  /** Seals and writes a packet. */
  encrypt(packet: Buffer): void {
    if (this.#isFree) return;
    const { algorithm, key, nonce } = this.#direction;
    const cipher = createCipheriv(algorithm, key, nonce);
    const length = packet.subarray(0, lengthBytes);
    cipher.setAAD(length);
    const sealed = cipher.update(packet.subarray(lengthBytes));
    cipher.final();
    const tag = cipher.getAuthTag();
    if (packet.length < largePacketBytes) {
      this.#write(Buffer.concat([length, sealed, tag], packet.length + tagBytes));
    } else {
      this.#write(Buffer.from(length));
      this.#write(sealed);
      this.#write(tag);
    }
    this.#direction.advance();
    this.outSeqno = (this.outSeqno + 1) >>> 0;
  }

  free(): void {
    this.#isFree = true;
  }
}

/** Random bytes, generated for many packets at once. */
const random = Buffer.allocUnsafeSlow(4096);
let used = random.length;

/** Fills the rest of a packet, which is at most 255 bytes, with random bytes (RFC 4253 §6). */
function fillPadding(packet: Uint8Array, start: number): void {
  const length = packet.length - start;
  if (used + length > random.length) {
    randomFillSync(random);
    used = 0;
  }
  packet.set(random.subarray(used, used + length), start);
  used += length;
}
