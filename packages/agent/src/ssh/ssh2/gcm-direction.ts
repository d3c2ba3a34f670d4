import { createSecretKey, type KeyObject } from "node:crypto";

/*
 * A packet of OpenSSH's AES-GCM (RFC 5647 §7.2):
 *
 *   +----------------+-------------------+---------+---------+-----------+
 *   | uint32 length  | byte padding size | payload | padding | tag (16)  |
 *   +----------------+-------------------+---------+---------+-----------+
 *     authenticated    sealed, `length` bytes
 */
export const lengthBytes = 4;
export const tagBytes = 16;
export const blockBytes = 16;
export const minPaddingBytes = 4;

export type GcmAlgorithm = "aes-128-gcm" | "aes-256-gcm";

/** The state of a direction of a connection after a key exchange. */
export interface GcmState {
  readonly algorithm: GcmAlgorithm;
  readonly key: Uint8Array;
  /** The 12 bytes of the next packet's nonce, advanced in place. */
  readonly nonce: Uint8Array;
  /** The number of the next packet. */
  readonly sequence: number;
}

/** The key of a direction, and the nonce of its next packet. */
export class GcmDirection {
  readonly algorithm: GcmAlgorithm;
  /** A key object: setting up one from bytes takes longer than sealing a packet. */
  readonly key: KeyObject;
  readonly nonce: Uint8Array;
  readonly #view: DataView;

  constructor({ algorithm, key, nonce }: GcmState) {
    this.algorithm = algorithm;
    this.key = createSecretKey(key);
    this.nonce = nonce;
    this.#view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
  }

  /** Advances to the next packet: the last eight bytes are a counter (RFC 5647 §7.1). */
  advance(): void {
    const low = (this.#view.getUint32(8) + 1) >>> 0;
    this.#view.setUint32(8, low);
    if (low === 0) this.#view.setUint32(4, this.#view.getUint32(4) + 1);
  }
}
