import { joinBytes } from "@slipway/wire/bytes/join";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import type { FrameVisitor } from "@slipway/wire/derp/frame-reader";
import { derpHeaderBytes, writeDerpHeader } from "@slipway/wire/derp/header";

import type { Aead, RelayCrypto } from "./crypto.ts";

/*
 * After its login a link carries nothing but sealed records, in frames of a type that stock relays skip:
 *
 *   e0 | length | ChaCha20-Poly1305 of a piece of the stream of frames, with the header as additional data | tag (16)
 *
 * The nonce is the number of the record in its direction, so that a record that was changed, repeated, omitted, moved
 * or sent back does not open; each direction of each connection has its own key.
 */
export const sealedFrameType = 0xe0;
const tagBytes = 16;
const nonceBytes = 12;
/** The bytes of the stream in one record. */
const recordBytes = 16 * 1024;

interface LinkKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** One end of a sealed link between two relays. */
export class SealedLink {
  readonly #sending: Aead;
  readonly #receiving: Aead;
  readonly #reader: DerpFrameReader;
  #sent = 0;
  #received = 0;

  constructor(crypto: RelayCrypto, { send, receive }: LinkKeys, maxPayloadBytes: number) {
    this.#sending = crypto.openAead(send);
    this.#receiving = crypto.openAead(receive);
    this.#reader = new DerpFrameReader(maxPayloadBytes);
  }

  /** Seals frames, cut anywhere, as records. */
  seal(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    const stream = joinBytes(pieces);
    const records: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += recordBytes) {
      records.push(this.#sealRecord(stream.subarray(at, at + recordBytes)));
    }
    return records;
  }

  /**
   * Opens the record in the frame from `start` to `end`, in place, and visits the frames that are complete with it.
   * Returns false for a frame that the other end did not seal as its next record. Throws the errors of
   * `DerpFrameReader.read`.
   */
  open(bytes: Uint8Array, start: number, end: number, visit: FrameVisitor): boolean {
    if (bytes[start] !== sealedFrameType) return false;
    const header = bytes.subarray(start, start + derpHeaderBytes);
    const box = bytes.subarray(start + derpHeaderBytes, end);
    if (!this.#receiving.open(box, nonceOf(this.#received), header)) return false;
    this.#received += 1;
    this.#reader.read(box.subarray(0, box.length - tagBytes), visit);
    return true;
  }

  #sealRecord(piece: Uint8Array): Uint8Array {
    const length = piece.length + tagBytes;
    const record = new Uint8Array(derpHeaderBytes + length);
    writeDerpHeader(record, 0, { type: sealedFrameType, length });
    record.set(piece, derpHeaderBytes);
    const header = record.subarray(0, derpHeaderBytes);
    this.#sending.seal(record.subarray(derpHeaderBytes), nonceOf(this.#sent), header);
    this.#sent += 1;
    return record;
  }
}

function nonceOf(count: number): Uint8Array {
  const nonce = new Uint8Array(nonceBytes);
  new DataView(nonce.buffer).setBigUint64(nonceBytes - 8, BigInt(count));
  return nonce;
}
