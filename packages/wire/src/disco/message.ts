import { readUint16, writeUint16 } from "../bytes/integers.ts";
import { discoOverheadBytes } from "./packet.ts";

/*
 *  0      1         2
 *  +------+---------+-----------------------------------------------------
 *  | type | version | ping:          transaction id (12), node key (32), zeros
 *  |      |         | pong:          transaction id (12), address (16), port (2), zeros
 *  |      |         | callMeMaybe:   any number of address (16), port (2)
 *  +------+---------+-----------------------------------------------------
 *  Inside the box, big endian; IPv4 as ::ffff:a.b.c.d (docs/protocol/tailnet.md §6.1).
 */
const headerBytes = 2;
const transactionIdBytes = 12;
const keyBytes = 32;
const addressBytes = 16;
const endpointBytes = addressBytes + 2;
const pongBytes = transactionIdBytes + endpointBytes;

const Type = { ping: 1, pong: 2, callMeMaybe: 3 } as const;
const Version = { ping: 1, pong: 1, callMeMaybe: 0 } as const;

/** The length of a whole packet with a ping or pong over UDP: a path that carries it carries every packet. */
export const paddedDiscoBytes = 1310;

/** The number of endpoints read from a call: as many as a peer publishes. */
export const maxCalledEndpoints = 16;

/** A message about paths that is truncated, or of another version; it is dropped. */
export class DiscoError extends Error {
  override readonly name = "DiscoError";
  readonly code = "malformed-message";
  readonly retryable = false;
}

/** An address and port; IPv4 is mapped into the 16 bytes. */
export interface DiscoEndpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

/** The messages of peers about the paths between them. Bytes of parsed messages are copies. */
export type DiscoMessage =
  | {
      readonly type: "ping";
      readonly transactionId: Uint8Array;
      /** The node key of the sender; undefined if the sender omitted it. */
      readonly nodeKey: Uint8Array | undefined;
    }
  | {
      readonly type: "pong";
      /** The transaction id of the ping. */
      readonly transactionId: Uint8Array;
      /** The source of the ping, as the sender of the pong saw it. */
      readonly source: DiscoEndpoint;
    }
  /** A request to ping the sender at its endpoints; the sender has forgotten any others. */
  | { readonly type: "call-me-maybe"; readonly endpoints: readonly DiscoEndpoint[] };

/** Parses the content of a box; undefined for a message of an unknown type. Throws `DiscoError`. */
export function parseDiscoMessage(bytes: Uint8Array): DiscoMessage | undefined {
  if (bytes.length < headerBytes) throw malformed("message", bytes.length, "a type and a version");
  const payload = bytes.subarray(headerBytes);
  switch (bytes[0] ?? 0) {
    case Type.ping:
      return parsePing(payload);
    case Type.pong:
      return parsePong(payload);
    case Type.callMeMaybe:
      return parseCall(bytes[1] ?? 0, payload);
    default:
      return undefined;
  }
}

/**
 * Encodes a message for a box, padded with zeros so that its packet has `packetBytes`. A call and a ping without a
 * node key are not padded, as the zeros would be read as endpoints or as a key.
 */
export function encodeDiscoMessage(message: DiscoMessage, packetBytes = 0): Uint8Array {
  const content = encodeContent(message);
  const isPadded =
    message.type === "pong" || (message.type === "ping" && message.nodeKey !== undefined);
  if (!isPadded) return content;
  const length = Math.max(content.length, packetBytes - discoOverheadBytes);
  const bytes = new Uint8Array(length);
  bytes.set(content);
  return bytes;
}

function parsePing(payload: Uint8Array): DiscoMessage {
  if (payload.length < transactionIdBytes) {
    throw malformed("ping", payload.length, `at least ${String(transactionIdBytes)}`);
  }
  const keyEnd = transactionIdBytes + keyBytes;
  return {
    type: "ping",
    transactionId: copyOf(payload, 0, transactionIdBytes),
    nodeKey: payload.length < keyEnd ? undefined : copyOf(payload, transactionIdBytes, keyEnd),
  };
}

function parsePong(payload: Uint8Array): DiscoMessage {
  if (payload.length < pongBytes) {
    throw malformed("pong", payload.length, `at least ${String(pongBytes)}`);
  }
  const transactionId = copyOf(payload, 0, transactionIdBytes);
  return { type: "pong", transactionId, source: readEndpoint(payload, transactionIdBytes) };
}

function parseCall(version: number, payload: Uint8Array): DiscoMessage {
  // The layout of other versions is unknown; unlike padding, it must not be read as endpoints.
  if (version !== Version.callMeMaybe || payload.length % endpointBytes !== 0) {
    throw malformed("call", payload.length, `version 0 and a multiple of ${String(endpointBytes)}`);
  }
  const count = Math.min(payload.length / endpointBytes, maxCalledEndpoints);
  const endpoints = Array.from({ length: count }, (_, at) =>
    readEndpoint(payload, at * endpointBytes),
  );
  return { type: "call-me-maybe", endpoints };
}

function encodeContent(message: DiscoMessage): Uint8Array {
  switch (message.type) {
    case "ping": {
      const { nodeKey } = message;
      const length = transactionIdBytes + (nodeKey === undefined ? 0 : keyBytes);
      const bytes = withHeader(Type.ping, Version.ping, length);
      bytes.set(message.transactionId, headerBytes);
      if (nodeKey !== undefined) bytes.set(nodeKey, headerBytes + transactionIdBytes);
      return bytes;
    }
    case "pong": {
      const bytes = withHeader(Type.pong, Version.pong, pongBytes);
      bytes.set(message.transactionId, headerBytes);
      writeEndpoint(bytes, headerBytes + transactionIdBytes, message.source);
      return bytes;
    }
    case "call-me-maybe": {
      const { endpoints } = message;
      const length = endpoints.length * endpointBytes;
      const bytes = withHeader(Type.callMeMaybe, Version.callMeMaybe, length);
      endpoints.forEach((endpoint, at) =>
        writeEndpoint(bytes, headerBytes + at * endpointBytes, endpoint),
      );
      return bytes;
    }
  }
}

function withHeader(type: number, version: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes + payloadBytes);
  bytes[0] = type;
  bytes[1] = version;
  return bytes;
}

function readEndpoint(bytes: Uint8Array, at: number): DiscoEndpoint {
  return {
    address: copyOf(bytes, at, at + addressBytes),
    port: readUint16(bytes, at + addressBytes),
  };
}

function writeEndpoint(bytes: Uint8Array, at: number, { address, port }: DiscoEndpoint): void {
  bytes.set(address, at);
  writeUint16(bytes, at + addressBytes, port);
}

function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function malformed(what: string, found: number, wanted: string): DiscoError {
  return new DiscoError(`${what} with ${String(found)} bytes, wanted ${wanted}`);
}
