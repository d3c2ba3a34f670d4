import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";
import { YamuxError } from "./events.ts";

/*
 *  0        1        2               4                               8                              12
 *  +--------+--------+---------------+-------------------------------+-------------------------------+
 *  | version| type   | flags         | stream id                     | length                        |
 *  +--------+--------+---------------+-------------------------------+-------------------------------+
 *  All big endian (docs/protocol/rpc.md §2.1). Only Data is followed by `length` bytes of payload.
 */
export const headerBytes = 12;

const version = 0;

/** The type of a frame, which determines the meaning of `length`. */
export const FrameType = {
  /** `length` bytes of payload follow. */
  data: 0,
  /** `length` is the window delta. */
  windowUpdate: 1,
  /** `length` is an opaque id. */
  ping: 2,
  /** `length` is a `GoAwayCode`. */
  goAway: 3,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Bits of `flags`. */
export const Flag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

/** Codes of GoAway. Only `normal` leaves the session alive (docs/protocol/rpc.md §2.5). */
export const GoAwayCode = { normal: 0, protocolError: 1, internalError: 2 } as const;

export interface FrameHeader {
  readonly type: FrameType;
  /** Any of the 16 bits; those missing from `Flag` mean nothing. */
  readonly flags: number;
  /** Unsigned 32 bits; 0 for Ping and GoAway. */
  readonly streamId: number;
  /** Unsigned 32 bits. */
  readonly length: number;
}

/** Encodes a header as 12 bytes. */
export function encodeHeader(header: FrameHeader): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  bytes[0] = version;
  bytes[1] = header.type;
  writeUint16(bytes, 2, header.flags);
  writeUint32(bytes, 4, header.streamId);
  writeUint32(bytes, 8, header.length);
  return bytes;
}

/**
 * Parses the header at `offset`; `undefined` if there are fewer than 12 bytes. Throws `YamuxError` "protocol-error"
 * for another version or an unknown type.
 */
export function parseHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  if (bytes.length - offset < headerBytes) return undefined;
  if (bytes[offset] !== version) {
    throw new YamuxError("protocol-error", `yamux version ${String(bytes[offset])}, wanted 0`);
  }
  return {
    type: parseType(bytes[offset + 1]),
    flags: readUint16(bytes, offset + 2),
    streamId: readUint32(bytes, offset + 4),
    length: readUint32(bytes, offset + 8),
  };
}

function parseType(value: number | undefined): FrameType {
  const type = Object.values(FrameType).find((known) => known === value);
  if (type !== undefined) return type;
  throw new YamuxError("protocol-error", `yamux frame type ${String(value)}, wanted 0 to 3`);
}
