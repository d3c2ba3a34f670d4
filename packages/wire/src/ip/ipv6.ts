import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";
import { addWords } from "../bytes/internet-checksum.ts";

/*
 *  0       4           12                      32              48              56              64
 *  +-------+-----------+-----------------------+---------------+---------------+---------------+
 *  | 6     | class     | flow label            | payload bytes | next header   | hop limit     |
 *  +-------+-----------+-----------------------+---------------+---------------+---------------+
 *  | source address, 16 bytes                                                                  |
 *  +-------------------------------------------------------------------------------------------+
 *  | destination address, 16 bytes                                                             |
 *  +-------------------------------------------------------------------------------------------+
 *  RFC 8200 §3. Extension headers are not read: peers do not send them (docs/protocol/tailnet.md §7.1).
 */
export const ipv6HeaderBytes = 40;
export const ipv6AddressBytes = 16;

/** Values of the next header field; 99 carries TSMP (docs/protocol/tailnet.md §7.2). */
export const IpProtocol = { tcp: 6, udp: 17, icmpv6: 58, tsmp: 99 } as const;

export interface Ipv6Packet {
  /** A view of the packet. */
  readonly source: Uint8Array;
  /** A view of the packet. */
  readonly destination: Uint8Array;
  /** Any of 256 values, some of which `IpProtocol` names. */
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly flowLabel: number;
  /** The offsets of the payload and of its end in the parsed bytes: bytes after the end are padding. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** The default hop limit (RFC 8200 leaves it open; peers use this one). */
const defaultHopLimit = 64;

/** Parses the packet at the beginning of `bytes`; `undefined` if it is not a whole IPv6 packet. */
export function parseIpv6(bytes: Uint8Array): Ipv6Packet | undefined {
  const payloadEnd = ipv6PacketEnd(bytes);
  return payloadEnd === undefined ? undefined : parseHeader(bytes, payloadEnd);
}

/** Parses the beginning of a packet, as an ICMPv6 error quotes it; `undefined` if the header is incomplete. */
export function parseQuotedIpv6(bytes: Uint8Array): Ipv6Packet | undefined {
  const isHeader = bytes.length >= ipv6HeaderBytes && (bytes[0] ?? 0) >>> 4 === 6;
  return isHeader ? parseHeader(bytes, bytes.length) : undefined;
}

function parseHeader(bytes: Uint8Array, payloadEnd: number): Ipv6Packet {
  return {
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    nextHeader: bytes[6] ?? 0,
    hopLimit: bytes[7] ?? 0,
    flowLabel: readUint32(bytes, 0) & 0xf_ffff,
    payloadStart: ipv6HeaderBytes,
    payloadEnd,
  };
}

/** Returns the length of the packet at the beginning of `bytes`; `undefined` if it is not a whole IPv6 packet. */
function ipv6PacketEnd(bytes: Uint8Array): number | undefined {
  if (bytes.length < ipv6HeaderBytes || (bytes[0] ?? 0) >>> 4 !== 6) return undefined;
  const end = ipv6HeaderBytes + readUint16(bytes, 4);
  return end <= bytes.length ? end : undefined;
}

export interface Ipv6Header {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly nextHeader: number;
  /** Default: 64. */
  readonly hopLimit?: number;
  /** Default: 0. */
  readonly flowLabel?: number;
}

/** Writes the 40 bytes of a header before `payloadBytes` of payload. Writes to `bytes` at `offset`. */
export function writeIpv6Header(
  bytes: Uint8Array,
  offset: number,
  header: Ipv6Header,
  payloadBytes: number,
): void {
  writeUint32(bytes, offset, 0x6000_0000 + (header.flowLabel ?? 0));
  writeUint16(bytes, offset + 4, payloadBytes);
  bytes[offset + 6] = header.nextHeader;
  bytes[offset + 7] = header.hopLimit ?? defaultHopLimit;
  bytes.set(header.source, offset + 8);
  bytes.set(header.destination, offset + 24);
}

/**
 * Returns the sum of the pseudo-header's addresses and next header (RFC 8200 §8.1). Add the length of the upper layer's
 * packet and the packet itself, and finish that. It is the same in both directions.
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  nextHeader: number,
): number {
  const addresses = addWords(0, source, 0, source.length);
  return addWords(addresses, destination, 0, destination.length) + nextHeader;
}
