import { BytesError } from "../bytes/errors.ts";
import { readUint32, writeUint32 } from "../bytes/integers.ts";
import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";
import { DerpError } from "./errors.ts";
import {
  derpHeaderBytes,
  derpKeyBytes,
  derpNonceBytes,
  DerpFrameType,
  writeDerpHeader,
} from "./header.ts";

/** The magic at the beginning of a server key's payload: `DERP` and a key as an emoji. */
const magic = Uint8Array.of(0x44, 0x45, 0x52, 0x50, 0xf0, 0x9f, 0x94, 0x91);

const pingBytes = 8;
/** The longest ping; only its first 8 bytes have a meaning (docs/protocol/tailnet.md §4.4). */
const maxPingBytes = 1000;

/** The reasons why a peer is gone (docs/protocol/tailnet.md §4.4). */
export const PeerGoneReason = { disconnected: 0, notHere: 1 } as const;

/** A frame with the fields of its payload; keys have 32 bytes, nonces 24. */
export type DerpFrame =
  | { readonly type: "server-key"; readonly key: Uint8Array }
  | {
      readonly type: "client-info";
      readonly key: Uint8Array;
      readonly nonce: Uint8Array;
      readonly box: Uint8Array;
    }
  | { readonly type: "server-info"; readonly nonce: Uint8Array; readonly box: Uint8Array }
  | { readonly type: "send-packet"; readonly destination: Uint8Array; readonly packet: Uint8Array }
  | { readonly type: "recv-packet"; readonly source: Uint8Array; readonly packet: Uint8Array }
  | { readonly type: "keep-alive" }
  | { readonly type: "note-preferred"; readonly isPreferred: boolean }
  | { readonly type: "peer-gone"; readonly key: Uint8Array; readonly reason: number }
  | { readonly type: "peer-present"; readonly key: Uint8Array }
  | {
      readonly type: "forward-packet";
      readonly source: Uint8Array;
      readonly destination: Uint8Array;
      readonly packet: Uint8Array;
    }
  | { readonly type: "watch-conns" }
  | { readonly type: "close-peer"; readonly key: Uint8Array }
  | { readonly type: "ping"; readonly data: Uint8Array }
  | { readonly type: "pong"; readonly data: Uint8Array }
  /** The problem is empty if there is none. */
  | { readonly type: "health"; readonly problem: string }
  /** Times in milliseconds, unsigned 32 bits. */
  | { readonly type: "restarting"; readonly reconnectInMs: number; readonly tryForMs: number };

/**
 * Parses the whole frame at `start`, whose payload ends at `end`; undefined for an unknown type. Bytes in the result are
 * views. Throws `DerpError` "malformed-frame".
 */
export function parseDerpFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
): DerpFrame | undefined {
  const type = bytes[start] ?? 0;
  const payload = bytes.subarray(start + derpHeaderBytes, end);
  const take = (at: number, length: number): Uint8Array => {
    if (payload.length >= at + length) return payload.subarray(at, at + length);
    throw malformed(type, payload, `at least ${String(at + length)}`);
  };
  const key = (at = 0): Uint8Array => take(at, derpKeyBytes);
  const rest = (at: number): Uint8Array => payload.subarray(at);
  switch (type) {
    case DerpFrameType.serverKey:
      if (!take(0, magic.length).every((byte, at) => byte === magic[at])) {
        throw new DerpError("malformed-frame", "the server's key does not begin with the magic");
      }
      return { type: "server-key", key: key(magic.length) };
    case DerpFrameType.clientInfo:
      return {
        type: "client-info",
        key: key(),
        nonce: take(derpKeyBytes, derpNonceBytes),
        box: rest(derpKeyBytes + derpNonceBytes),
      };
    case DerpFrameType.serverInfo:
      return { type: "server-info", nonce: take(0, derpNonceBytes), box: rest(derpNonceBytes) };
    case DerpFrameType.sendPacket:
      return { type: "send-packet", destination: key(), packet: rest(derpKeyBytes) };
    case DerpFrameType.recvPacket:
      return { type: "recv-packet", source: key(), packet: rest(derpKeyBytes) };
    case DerpFrameType.keepAlive:
      return { type: "keep-alive" };
    case DerpFrameType.notePreferred:
      if (payload.length !== 1) throw malformed(type, payload, "1");
      return { type: "note-preferred", isPreferred: payload[0] !== 0 };
    case DerpFrameType.peerGone:
      return { type: "peer-gone", key: key(), reason: payload[derpKeyBytes] ?? 0 };
    case DerpFrameType.peerPresent:
      return { type: "peer-present", key: key() };
    case DerpFrameType.forwardPacket:
      return {
        type: "forward-packet",
        source: key(),
        destination: key(derpKeyBytes),
        packet: rest(2 * derpKeyBytes),
      };
    case DerpFrameType.watchConns:
      return { type: "watch-conns" };
    case DerpFrameType.closePeer:
      return { type: "close-peer", key: key() };
    case DerpFrameType.ping:
    case DerpFrameType.pong: {
      if (payload.length > maxPingBytes) {
        throw malformed(type, payload, `at most ${String(maxPingBytes)}`);
      }
      const name = type === DerpFrameType.ping ? "ping" : "pong";
      return { type: name, data: take(0, pingBytes) };
    }
    case DerpFrameType.health:
      return { type: "health", problem: parseProblem(payload) };
    case DerpFrameType.restarting:
      return {
        type: "restarting",
        reconnectInMs: readUint32(take(0, 4), 0),
        tryForMs: readUint32(take(4, 4), 0),
      };
    default:
      return undefined;
  }
}

/** Encodes a frame into new bytes. */
export function encodeDerpFrame(frame: DerpFrame): Uint8Array {
  const { type, pieces } = partsOf(frame);
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const bytes = new Uint8Array(derpHeaderBytes + length);
  writeDerpHeader(bytes, 0, { type, length });
  let at = derpHeaderBytes;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

interface FrameParts {
  readonly type: number;
  readonly pieces: readonly Uint8Array[];
}

function partsOf(frame: DerpFrame): FrameParts {
  switch (frame.type) {
    case "server-key":
      return { type: DerpFrameType.serverKey, pieces: [magic, frame.key] };
    case "client-info":
      return { type: DerpFrameType.clientInfo, pieces: [frame.key, frame.nonce, frame.box] };
    case "server-info":
      return { type: DerpFrameType.serverInfo, pieces: [frame.nonce, frame.box] };
    case "send-packet":
      return { type: DerpFrameType.sendPacket, pieces: [frame.destination, frame.packet] };
    case "recv-packet":
      return { type: DerpFrameType.recvPacket, pieces: [frame.source, frame.packet] };
    case "keep-alive":
      return { type: DerpFrameType.keepAlive, pieces: [] };
    case "note-preferred":
      return {
        type: DerpFrameType.notePreferred,
        pieces: [Uint8Array.of(frame.isPreferred ? 1 : 0)],
      };
    case "peer-gone":
      return { type: DerpFrameType.peerGone, pieces: [frame.key, Uint8Array.of(frame.reason)] };
    case "peer-present":
      return { type: DerpFrameType.peerPresent, pieces: [frame.key] };
    case "forward-packet":
      return {
        type: DerpFrameType.forwardPacket,
        pieces: [frame.source, frame.destination, frame.packet],
      };
    case "watch-conns":
      return { type: DerpFrameType.watchConns, pieces: [] };
    case "close-peer":
      return { type: DerpFrameType.closePeer, pieces: [frame.key] };
    case "ping":
      return { type: DerpFrameType.ping, pieces: [frame.data] };
    case "pong":
      return { type: DerpFrameType.pong, pieces: [frame.data] };
    case "health":
      return { type: DerpFrameType.health, pieces: [encodeUtf8(frame.problem)] };
    case "restarting":
      return {
        type: DerpFrameType.restarting,
        pieces: [uint32(frame.reconnectInMs), uint32(frame.tryForMs)],
      };
  }
}

function parseProblem(payload: Uint8Array): string {
  try {
    return parseUtf8(payload);
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new DerpError("malformed-frame", "the health problem is not UTF-8", { cause: error });
  }
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}

function malformed(type: number, payload: Uint8Array, wanted: string): DerpError {
  return new DerpError(
    "malformed-frame",
    `frame of type ${String(type)} with ${String(payload.length)} bytes, wanted ${wanted}`,
  );
}
