/*
 *  0        6                38               62
 *  +--------+----------------+----------------+---------------------------
 *  | magic  | sender's key   | nonce          | box: MAC (16), message
 *  +--------+----------------+----------------+---------------------------
 *  docs/protocol/tailnet.md §6.1
 */
const magic = [0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac] as const;
const senderOffset = magic.length;
const keyBytes = 32;
const nonceOffset = senderOffset + keyBytes;
export const discoNonceBytes = 24;
const headerBytes = nonceOffset + discoNonceBytes;
const macBytes = 16;

/** The number of bytes of a packet besides its message. */
export const discoOverheadBytes = headerBytes + macBytes;

/** A sealed message. */
export interface DiscoPacket {
  /** The public disco key that the sender claims, 32 bytes; the box proves it. */
  readonly senderKey: Uint8Array;
  readonly nonce: Uint8Array;
  /** The MAC and the encrypted message. */
  readonly box: Uint8Array;
}

/** Parses a datagram into views of its parts; undefined for another protocol of the same path. */
export function parseDiscoPacket(datagram: Uint8Array): DiscoPacket | undefined {
  if (datagram.length < discoOverheadBytes) return undefined;
  for (let at = 0; at < magic.length; at += 1) if (datagram[at] !== magic[at]) return undefined;
  return {
    senderKey: datagram.subarray(senderOffset, nonceOffset),
    nonce: datagram.subarray(nonceOffset, headerBytes),
    box: datagram.subarray(headerBytes),
  };
}

/** Encodes a packet: a copy of its parts. */
export function encodeDiscoPacket({ senderKey, nonce, box }: DiscoPacket): Uint8Array {
  const bytes = new Uint8Array(headerBytes + box.length);
  bytes.set(magic);
  bytes.set(senderKey, senderOffset);
  bytes.set(nonce, nonceOffset);
  bytes.set(box, headerBytes);
  return bytes;
}
