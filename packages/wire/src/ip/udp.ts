import { readUint16, writeUint16 } from "../bytes/integers.ts";
import { addWords, finishChecksum } from "../bytes/internet-checksum.ts";

/*
 *  0               16              32              48              64
 *  +---------------+---------------+---------------+---------------+
 *  | source port   | destination   | length        | checksum      |
 *  +---------------+---------------+---------------+---------------+
 *  RFC 768. The length counts the header too.
 */
export const udpHeaderBytes = 8;

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** A view of the parsed bytes. */
  readonly payload: Uint8Array;
}

/**
 * Parses the datagram of `bytes` from `start` to `end`; `undefined` if it is malformed, for example without a
 * checksum (RFC 8200 §8.1). The checksum itself is not verified: the tunnel has authenticated the packet.
 */
export function parseUdp(bytes: Uint8Array, start: number, end: number): UdpDatagram | undefined {
  if (end - start < udpHeaderBytes) return undefined;
  const length = readUint16(bytes, start + 4);
  if (length < udpHeaderBytes || length > end - start) return undefined;
  if (readUint16(bytes, start + 6) === 0) return undefined;
  return {
    sourcePort: readUint16(bytes, start),
    destinationPort: readUint16(bytes, start + 2),
    payload: bytes.subarray(start + udpHeaderBytes, start + length),
  };
}

/**
 * Writes a datagram to `bytes` at `offset`, with a copy of its payload, and returns its length. `addressSum` is the
 * `pseudoHeaderSum` of its addresses.
 */
export function writeUdp(
  bytes: Uint8Array,
  offset: number,
  datagram: UdpDatagram,
  addressSum: number,
): number {
  const length = udpHeaderBytes + datagram.payload.length;
  writeUint16(bytes, offset, datagram.sourcePort);
  writeUint16(bytes, offset + 2, datagram.destinationPort);
  writeUint16(bytes, offset + 4, length);
  writeUint16(bytes, offset + 6, 0);
  bytes.set(datagram.payload, offset + udpHeaderBytes);
  const sum = addWords(addressSum + length, bytes, offset, offset + length);
  // A checksum of 0 is written as all ones (RFC 768).
  writeUint16(bytes, offset + 6, finishChecksum(sum) || 0xffff);
  return length;
}
