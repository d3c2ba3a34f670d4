import { readUint32Le, readUint64Le, writeUint32Le, writeUint64Le } from "../bytes/integers.ts";
import { aeadTagBytes } from "./crypto.ts";

/*
 *  initiation   1 | sender (4)                | ephemeral (32) | static (48) | timestamp (28) | mac1 (16) | mac2 (16)
 *  response     2 | sender (4) | receiver (4) | ephemeral (32) | empty (16)                   | mac1 (16) | mac2 (16)
 *  cookie reply 3 | receiver (4)              | nonce (24)     | cookie (32)
 *  transport    4 | receiver (4) | counter (8) | packet, padded | tag (16)
 *
 *  The type has 4 bytes; all little endian (docs/protocol/tailnet.md §5.1 to §5.4).
 */
const MessageType = { initiation: 1, response: 2, cookieReply: 3, transport: 4 } as const;

export const initiationBytes = 148;
export const responseBytes = 92;
export const cookieReplyBytes = 64;
export const transportHeaderBytes = 16;
/** A transport message without a packet, which keeps a path open. */
export const minTransportBytes = transportHeaderBytes + aeadTagBytes;

/** The two MACs at the end of a handshake message. */
export const macBytes = 16;
export const macsBytes = 2 * macBytes;

export type WireguardMessageKind = "initiation" | "response" | "cookie-reply" | "transport";

/** Returns the kind of a datagram, whose length matches it; undefined for anything else. */
export function wireguardMessageKind(datagram: Uint8Array): WireguardMessageKind | undefined {
  const { length } = datagram;
  switch (readUint32Le(datagram, 0)) {
    case MessageType.initiation:
      return length === initiationBytes ? "initiation" : undefined;
    case MessageType.response:
      return length === responseBytes ? "response" : undefined;
    case MessageType.cookieReply:
      return length === cookieReplyBytes ? "cookie-reply" : undefined;
    case MessageType.transport:
      return length >= minTransportBytes ? "transport" : undefined;
    default:
      return undefined;
  }
}

/** An initiation without its MACs. Parsed fields are views. */
export interface Initiation {
  readonly sender: number;
  readonly ephemeral: Uint8Array;
  readonly encryptedStatic: Uint8Array;
  readonly encryptedTimestamp: Uint8Array;
}

/** Parses a message of the kind "initiation". */
export function parseInitiation(message: Uint8Array): Initiation {
  return {
    sender: readUint32Le(message, 4),
    ephemeral: message.subarray(8, 40),
    encryptedStatic: message.subarray(40, 88),
    encryptedTimestamp: message.subarray(88, 116),
  };
}

/** Encodes an initiation with room for its MACs. */
export function encodeInitiation(initiation: Initiation): Uint8Array {
  const message = new Uint8Array(initiationBytes);
  writeUint32Le(message, 0, MessageType.initiation);
  writeUint32Le(message, 4, initiation.sender);
  message.set(initiation.ephemeral, 8);
  message.set(initiation.encryptedStatic, 40);
  message.set(initiation.encryptedTimestamp, 88);
  return message;
}

/** A response without its MACs. Parsed fields are views. */
export interface HandshakeResponse {
  readonly sender: number;
  readonly receiver: number;
  readonly ephemeral: Uint8Array;
  readonly encryptedEmpty: Uint8Array;
}

/** Parses a message of the kind "response". */
export function parseHandshakeResponse(message: Uint8Array): HandshakeResponse {
  return {
    sender: readUint32Le(message, 4),
    receiver: readUint32Le(message, 8),
    ephemeral: message.subarray(12, 44),
    encryptedEmpty: message.subarray(44, 60),
  };
}

/** Encodes a response with room for its MACs. */
export function encodeHandshakeResponse(response: HandshakeResponse): Uint8Array {
  const message = new Uint8Array(responseBytes);
  writeUint32Le(message, 0, MessageType.response);
  writeUint32Le(message, 4, response.sender);
  writeUint32Le(message, 8, response.receiver);
  message.set(response.ephemeral, 12);
  message.set(response.encryptedEmpty, 44);
  return message;
}

/** An encrypted cookie. Parsed fields are views. */
export interface CookieReply {
  readonly receiver: number;
  readonly nonce: Uint8Array;
  readonly encryptedCookie: Uint8Array;
}

/** Parses a message of the kind "cookie-reply". */
export function parseCookieReply(message: Uint8Array): CookieReply {
  return {
    receiver: readUint32Le(message, 4),
    nonce: message.subarray(8, 32),
    encryptedCookie: message.subarray(32, 64),
  };
}

export function encodeCookieReply(reply: CookieReply): Uint8Array {
  const message = new Uint8Array(cookieReplyBytes);
  writeUint32Le(message, 0, MessageType.cookieReply);
  writeUint32Le(message, 4, reply.receiver);
  message.set(reply.nonce, 8);
  message.set(reply.encryptedCookie, 32);
  return message;
}

/** Returns the index to which a transport message is addressed. */
export function transportReceiver(message: Uint8Array): number {
  return readUint32Le(message, 4);
}

/** Returns the counter of a transport message; beyond 2^53 it is not exact. */
export function transportCounter(message: Uint8Array): number {
  return readUint64Le(message, 8);
}

export function writeTransportHeader(message: Uint8Array, receiver: number, counter: number): void {
  writeUint32Le(message, 0, MessageType.transport);
  writeUint32Le(message, 4, receiver);
  writeUint64Le(message, 8, counter);
}

/** The maximum size to which packets are padded. */
const maxPaddedBytes = 1500;

/** Returns the length of a transport message for a packet of `length` bytes (docs/protocol/tailnet.md §5.4). */
export function transportBytes(length: number): number {
  const padded = Math.max(length, Math.min((length + 15) & ~15, maxPaddedBytes));
  return transportHeaderBytes + padded + aeadTagBytes;
}
