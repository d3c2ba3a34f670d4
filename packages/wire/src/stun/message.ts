import { CodedError } from "../bytes/coded-error.ts";
import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import { crc32 } from "./crc32.ts";

/*
 *  0               2               4                               8                       20
 *  +---------------+---------------+-------------------------------+-----------------------+-----------
 *  | type          | length        | cookie 2112a442               | transaction id        | attributes
 *  +---------------+---------------+-------------------------------+-----------------------+-----------
 *  Each attribute: type (2), length (2), value, padded to 4 bytes. All big endian (RFC 8489, docs/protocol/tailnet.md §6.3).
 */
const headerBytes = 20;
const attributeHeaderBytes = 4;
const cookie = 0x2112a442;
const transactionIdBytes = 12;

const MessageType = { bindingRequest: 0x0001, bindingResponse: 0x0101 } as const;
const Attribute = {
  mappedAddress: 0x0001,
  xorMappedAddress: 0x0020,
  /** The same attribute of servers that are older than its number. */
  oldXorMappedAddress: 0x8020,
  software: 0x8022,
  fingerprint: 0x8028,
} as const;
const fingerprintMask = 0x5354554e;
const Family = { ipv4: 1, ipv6: 2 } as const;

/**
 * - `malformed-message`: not a STUN message, or attributes that exceed it.
 * - `wrong-fingerprint`: bytes that were altered in transit.
 */
export type StunErrorCode = "malformed-message" | "wrong-fingerprint";

/** A datagram that is neither answered nor used. */
export class StunError extends CodedError<StunErrorCode> {
  override readonly name = "StunError";
  readonly retryable = false;
}

/** An address as its bytes: 4 for IPv4, 16 for IPv6. */
export interface StunAddress {
  readonly address: Uint8Array;
  readonly port: number;
}

/** A message of the only method in use; the transaction id has 12 bytes. */
export type StunMessage =
  | { readonly type: "binding-request"; readonly transactionId: Uint8Array }
  | {
      readonly type: "binding-response";
      readonly transactionId: Uint8Array;
      /** The address that the server saw; undefined if the response has none. */
      readonly mapped: StunAddress | undefined;
    };

/** Returns whether a datagram is STUN and not another protocol of the same socket. */
export function isStun(datagram: Uint8Array): boolean {
  const [first = 0xff] = datagram;
  return datagram.length >= headerBytes && first < 0x40 && readUint32(datagram, 4) === cookie;
}

/**
 * Parses a datagram; undefined for STUN that is neither a binding request nor its response. Bytes in the result are
 * copies. Throws `StunError`.
 */
export function parseStunMessage(datagram: Uint8Array): StunMessage | undefined {
  if (!isStun(datagram) || readUint16(datagram, 2) !== datagram.length - headerBytes) {
    throw new StunError(
      "malformed-message",
      `malformed STUN message of ${String(datagram.length)} bytes, wanted a header with that length`,
    );
  }
  const mapped = readAttributes(datagram);
  const transactionId = copyOf(datagram.subarray(headerBytes - transactionIdBytes, headerBytes));
  switch (readUint16(datagram, 0)) {
    case MessageType.bindingRequest:
      return { type: "binding-request", transactionId };
    case MessageType.bindingResponse:
      return { type: "binding-response", transactionId, mapped };
    default:
      return undefined;
  }
}

/** Encodes a request with the name of the program and a trailing fingerprint, as stock peers send it. */
export function encodeBindingRequest(transactionId: Uint8Array, software: string): Uint8Array {
  const name = encodeUtf8(software);
  const nameBytes = attributeHeaderBytes + padded(name.length);
  const bytes = new Uint8Array(headerBytes + nameBytes + attributeHeaderBytes + 4);
  writeHeader(bytes, MessageType.bindingRequest, transactionId);
  writeAttribute(bytes, headerBytes, { type: Attribute.software, length: name.length });
  bytes.set(name, headerBytes + attributeHeaderBytes);
  const at = headerBytes + nameBytes;
  writeAttribute(bytes, at, { type: Attribute.fingerprint, length: 4 });
  writeUint32(bytes, at + attributeHeaderBytes, fingerprintOf(bytes, at));
  return bytes;
}

/** Encodes the response that tells a client its address. */
export function encodeBindingResponse(
  transactionId: Uint8Array,
  { address, port }: StunAddress,
): Uint8Array {
  const valueBytes = 4 + address.length;
  const bytes = new Uint8Array(headerBytes + attributeHeaderBytes + valueBytes);
  writeHeader(bytes, MessageType.bindingResponse, transactionId);
  writeAttribute(bytes, headerBytes, { type: Attribute.xorMappedAddress, length: valueBytes });
  const at = headerBytes + attributeHeaderBytes;
  bytes[at + 1] = address.length === 4 ? Family.ipv4 : Family.ipv6;
  writeUint16(bytes, at + 2, port ^ (cookie >>> 16));
  bytes.set(maskedAddress(bytes, address), at + 4);
  return bytes;
}

/** Reads the address and checks the fingerprint. */
function readAttributes(datagram: Uint8Array): StunAddress | undefined {
  let plain: StunAddress | undefined;
  let masked: StunAddress | undefined;
  let at = headerBytes;
  while (at < datagram.length) {
    const type = readUint16(datagram, at);
    const length = readUint16(datagram, at + 2);
    const value = datagram.subarray(at + attributeHeaderBytes, at + attributeHeaderBytes + length);
    if (value.length < length || at + attributeHeaderBytes > datagram.length) {
      throw new StunError(
        "malformed-message",
        `attribute with ${String(length)} bytes, found ${String(value.length)}`,
      );
    }
    switch (type) {
      case Attribute.mappedAddress:
        plain ??= readAddress(value);
        break;
      case Attribute.xorMappedAddress:
      case Attribute.oldXorMappedAddress:
        masked ??= unmasked(datagram, readAddress(value));
        break;
      case Attribute.fingerprint:
        checkFingerprint(datagram, at, value);
        break;
      default:
        break;
    }
    at += attributeHeaderBytes + padded(length);
  }
  return masked ?? plain;
}

function readAddress(value: Uint8Array): StunAddress | undefined {
  const length = value[1] === Family.ipv4 ? 4 : 16;
  if (value[1] !== Family.ipv4 && value[1] !== Family.ipv6) return undefined;
  if (value.length !== 4 + length) {
    throw new StunError(
      "malformed-message",
      `address with ${String(value.length)} bytes, wanted ${String(4 + length)}`,
    );
  }
  return { address: copyOf(value.subarray(4)), port: readUint16(value, 2) };
}

function unmasked(message: Uint8Array, found: StunAddress | undefined): StunAddress | undefined {
  if (found === undefined) return undefined;
  const address = maskedAddress(message, found.address);
  return { address, port: found.port ^ (cookie >>> 16) };
}

/** Returns the address, each byte masked with the cookie and the transaction id; masking twice restores it. */
function maskedAddress(message: Uint8Array, address: Uint8Array): Uint8Array {
  return address.map((byte, index) => byte ^ (message[4 + index] ?? 0));
}

function checkFingerprint(datagram: Uint8Array, at: number, value: Uint8Array): void {
  const wanted = fingerprintOf(datagram, at);
  if (value.length === 4 && readUint32(value, 0) === wanted) return;
  throw new StunError("wrong-fingerprint", "fingerprint does not match the message");
}

function fingerprintOf(bytes: Uint8Array, end: number): number {
  return (crc32(bytes, end) ^ fingerprintMask) >>> 0;
}

function writeHeader(bytes: Uint8Array, type: number, transactionId: Uint8Array): void {
  writeUint16(bytes, 0, type);
  writeUint16(bytes, 2, bytes.length - headerBytes);
  writeUint32(bytes, 4, cookie);
  bytes.set(transactionId.subarray(0, transactionIdBytes), headerBytes - transactionIdBytes);
}

function writeAttribute(
  bytes: Uint8Array,
  at: number,
  header: { readonly type: number; readonly length: number },
): void {
  writeUint16(bytes, at, header.type);
  writeUint16(bytes, at + 2, header.length);
}

/** Copies bytes of a class whose `slice` may be a view. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
