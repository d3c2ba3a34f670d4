import { createDecipheriv } from "node:crypto";

import { SshError } from "../errors.ts";
import {
  blockBytes,
  GcmDirection,
  type GcmState,
  lengthBytes,
  minPaddingBytes,
  tagBytes,
} from "./gcm-direction.ts";

/** The maximum length of a packet, as in ssh2: its payload may have 32 KiB (RFC 4253 §6.1). */
export const maxPacketBytes = 35_000;

/** Handles the payload of a packet. A result other than undefined tells ssh2 where to continue. */
export type TakePayload = (payload: Buffer) => number | false | undefined;

/** Opens received packets. ssh2 calls it like its own deciphers. */
export class GcmOpener {
  /** The number of the next packet. */
  inSeqno: number;
  /** ssh2 replaces it while keys are exchanged. */
  takePayload: TakePayload;
  readonly #direction: GcmDirection;
  /** The received part of an incomplete packet. */
  #partial = Buffer.alloc(0);
  #filled = 0;

  constructor(state: GcmState, takePayload: TakePayload) {
    this.inSeqno = state.sequence;
    this.takePayload = takePayload;
    this.#direction = new GcmDirection(state);
  }

  /**
   * Opens the packets of a chunk from `start` to `end`. Returns where ssh2 must continue in it; undefined at its end. Throws
   * `SshError` "refused" for an inauthentic or malformed packet, and the errors of `takePayload`.
   */
  decrypt(chunk: Buffer, start: number, end: number): number | undefined {
    for (let at = start; at < end;) {
      const whole = this.#filled === 0 ? wholePacket(chunk, at, end) : undefined;
      at = whole === undefined ? this.#collect(chunk, at, end) : at + whole.length;
      const packet = whole ?? this.#takeCollected();
      if (packet === undefined) return undefined;
      const payload = this.#open(packet);
      const next = this.takePayload(payload);
      if (next !== undefined) return next === false ? at : next;
    }
    return undefined;
  }

  free(): void {
    this.#partial = Buffer.alloc(0);
  }

  /** Copies the bytes of the incomplete packet, and returns where they end. */
  #collect(chunk: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#filled < lengthBytes) {
      this.#makeRoom(lengthBytes);
      at = this.#copy(chunk, at, end, lengthBytes);
      if (this.#filled < lengthBytes) return at;
    }
    const wanted = packetBytes(this.#partial, 0);
    this.#makeRoom(wanted);
    return this.#copy(chunk, at, end, wanted);
  }

  #copy(chunk: Buffer, start: number, end: number, wanted: number): number {
    const copied = Math.min(wanted - this.#filled, end - start);
    this.#partial.set(chunk.subarray(start, start + copied), this.#filled);
    this.#filled += copied;
    return start + copied;
  }

  #makeRoom(bytes: number): void {
    if (this.#partial.length >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.#partial.copy(larger, 0, 0, this.#filled);
    this.#partial = larger;
  }

  #takeCollected(): Buffer | undefined {
    if (this.#filled < lengthBytes || this.#filled < packetBytes(this.#partial, 0))
      return undefined;
    const packet = this.#partial.subarray(0, this.#filled);
    this.#filled = 0;
    return packet;
  }

  #open(packet: Buffer): Buffer {
    const { algorithm, key, nonce } = this.#direction;
    const decipher = createDecipheriv(algorithm, key, nonce);
    const tagAt = packet.length - tagBytes;
    decipher.setAAD(packet.subarray(0, lengthBytes));
    decipher.setAuthTag(packet.subarray(tagAt));
    const opened = decipher.update(packet.subarray(lengthBytes, tagAt));
    try {
      decipher.final();
    } catch (cause) {
      throw new SshError("refused", `packet ${this.inSeqno} is not authentic`, { cause });
    }
    this.#direction.advance();
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    const [padding = 0] = opened;
    if (padding < minPaddingBytes || padding >= opened.length) {
      throw new SshError("refused", `${padding} bytes of padding in ${opened.length}`);
    }
    return opened.subarray(1, opened.length - padding);
  }
}

/** Returns a view of the packet at `start` if it is complete. */
function wholePacket(chunk: Buffer, start: number, end: number): Buffer | undefined {
  if (end - start < lengthBytes) return undefined;
  const packetEnd = start + packetBytes(chunk, start);
  return packetEnd <= end ? chunk.subarray(start, packetEnd) : undefined;
}

/** Returns the size of the packet that begins at `start`. */
function packetBytes(bytes: Buffer, start: number): number {
  const length = bytes.readUInt32BE(start);
  const whole = lengthBytes + length + tagBytes;
  if (whole > maxPacketBytes || length < blockBytes || length % blockBytes !== 0) {
    throw new SshError("refused", `packet of ${length} bytes, wanted 16 to ${maxPacketBytes}`);
  }
  return whole;
}
