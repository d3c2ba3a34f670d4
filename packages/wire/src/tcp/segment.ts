import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";
import { addWords, finishChecksum } from "../bytes/internet-checksum.ts";
import { parseOptions, writeOptions } from "./options.ts";
import type { SegmentOptions } from "./options.ts";

/*
 *  0               16              32                              64
 *  +---------------+---------------+-------------------------------+
 *  | source port   | destination   | sequence number               |
 *  +---------------+---+---+-------+-------------------------------+
 *  | acknowledgment number         | 4 | 4 | flags | window        |
 *  +---------------+---------------+-------------------------------+
 *  | checksum      | urgent        | options, padded to 4 bytes    |
 *  +---------------+---------------+-------------------------------+
 *  RFC 9293 §3.1. The four bits after the acknowledgment number are the length of the header in 32-bit words. The
 *  urgent pointer is ignored: urgent data is data (RFC 6093).
 */
const minHeaderBytes = 20;

/** Bits of `flags`. */
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface SegmentHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Unsigned 32 bits. */
  readonly sequence: number;
  /** Unsigned 32 bits; 0 without the flag ACK. */
  readonly acknowledgment: number;
  /** Any of the 8 bits; those missing from `TcpFlag` mean nothing. */
  readonly flags: number;
  /** 16 bits, not scaled. */
  readonly window: number;
  readonly options: SegmentOptions;
}

export interface TcpSegment extends SegmentHeader {
  /** The parsed bytes, and the position of the payload in them. */
  readonly bytes: Uint8Array;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/**
 * Parses the segment of `bytes` from `start` to `end`; `undefined` if it is malformed. The checksum is not verified: the
 * tunnel has authenticated the packet.
 */
export function parseSegment(
  bytes: Uint8Array,
  start: number,
  end: number,
): TcpSegment | undefined {
  if (end - start < minHeaderBytes) return undefined;
  const payloadStart = start + ((bytes[start + 12] ?? 0) >>> 4) * 4;
  if (payloadStart < start + minHeaderBytes || payloadStart > end) return undefined;
  return {
    sourcePort: readUint16(bytes, start),
    destinationPort: readUint16(bytes, start + 2),
    sequence: readUint32(bytes, start + 4),
    acknowledgment: readUint32(bytes, start + 8),
    flags: bytes[start + 13] ?? 0,
    window: readUint16(bytes, start + 14),
    options: parseOptions(bytes, start + minHeaderBytes, payloadStart),
    bytes,
    payloadStart,
    payloadEnd: end,
  };
}

/** The minimum fields of a segment that an ICMPv6 error quotes. */
export type QuotedSegment = Pick<SegmentHeader, "sourcePort" | "destinationPort" | "sequence">;

const quotedBytes = 8;

/** Parses the beginning of a segment, which may be truncated anywhere; `undefined` if it is too short. */
export function parseQuotedSegment(bytes: Uint8Array, start: number): QuotedSegment | undefined {
  if (bytes.length - start < quotedBytes) return undefined;
  return {
    sourcePort: readUint16(bytes, start),
    destinationPort: readUint16(bytes, start + 2),
    sequence: readUint32(bytes, start + 4),
  };
}

/** Returns the length of a segment in sequence numbers: its payload, and one each for SYN and FIN. */
export function segmentLength(segment: TcpSegment): number {
  const { flags } = segment;
  const payload = segment.payloadEnd - segment.payloadStart;
  return payload + (flags & TcpFlag.fin) + ((flags & TcpFlag.syn) >>> 1);
}

/**
 * Writes a header to `bytes` at `offset`, with its checksum left 0, and returns the offset of the payload. At most 60
 * bytes are written.
 */
export function writeHeader(bytes: Uint8Array, offset: number, header: SegmentHeader): number {
  writeUint16(bytes, offset, header.sourcePort);
  writeUint16(bytes, offset + 2, header.destinationPort);
  writeUint32(bytes, offset + 4, header.sequence);
  writeUint32(bytes, offset + 8, header.acknowledgment);
  bytes[offset + 13] = header.flags;
  writeUint16(bytes, offset + 14, header.window);
  writeUint32(bytes, offset + 16, 0);
  const payloadStart = writeOptions(bytes, offset + minHeaderBytes, header.options);
  bytes[offset + 12] = ((payloadStart - offset) / 4) << 4;
  return payloadStart;
}

/**
 * Writes the checksum of the segment in `bytes` from `start` to `end`, whose checksum field is 0. `addressSum` is the
 * sum of the pseudo-header's addresses and next header.
 */
export function writeChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  addressSum: number,
): void {
  const sum = addWords(addressSum + (end - start), bytes, start, end);
  writeUint16(bytes, start + 16, finishChecksum(sum));
}
