import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";
import { addWords, finishChecksum } from "../bytes/internet-checksum.ts";

/*
 *  0       8       16              32                              64
 *  +-------+-------+---------------+-------------------------------+----
 *  | type  | code  | checksum      | parameter                     | body
 *  +-------+-------+---------------+-------------------------------+----
 *  RFC 4443 §2.1. The parameter is the identifier and sequence of an echo, the MTU of Packet Too Big, the pointer of
 *  Parameter Problem. The body of an error is the beginning of the packet that caused it.
 */
const headerBytes = 8;

const Type = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
} as const;

/** Codes of Destination Unreachable (RFC 4443 §3.1). */
export const UnreachableCode = { noRoute: 0, prohibited: 1, address: 3, port: 4 } as const;

/** The code of Parameter Problem for a next header that the receiver does not know (RFC 4443 §3.4). */
const unknownNextHeader = 1;

/** A message. `data` and `cause` are views of the parsed bytes. */
export type Icmpv6Message =
  | {
      readonly type: "echo-request" | "echo-reply";
      readonly identifier: number;
      readonly sequence: number;
      readonly data: Uint8Array;
    }
  | { readonly type: "unreachable"; readonly code: number; readonly cause: Uint8Array }
  | { readonly type: "packet-too-big"; readonly mtu: number; readonly cause: Uint8Array }
  | { readonly type: "time-exceeded"; readonly code: number; readonly cause: Uint8Array }
  /** A next header that is unknown to the sender of the message, at the offset `pointer` of the cause. */
  | { readonly type: "unknown-next-header"; readonly pointer: number; readonly cause: Uint8Array };

/**
 * Parses the message of `bytes` from `start` to `end`; `undefined` if it is truncated or of another type. The
 * checksum is not verified: the tunnel has authenticated the packet.
 */
export function parseIcmpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
): Icmpv6Message | undefined {
  if (end - start < headerBytes) return undefined;
  const code = bytes[start + 1] ?? 0;
  const body = bytes.subarray(start + headerBytes, end);
  const type = bytes[start] ?? 0;
  switch (type) {
    case Type.echoRequest:
    case Type.echoReply:
      if (code !== 0) return undefined;
      return {
        type: type === Type.echoRequest ? "echo-request" : "echo-reply",
        identifier: readUint16(bytes, start + 4),
        sequence: readUint16(bytes, start + 6),
        data: body,
      };
    case Type.unreachable:
      return { type: "unreachable", code, cause: body };
    case Type.packetTooBig:
      return { type: "packet-too-big", mtu: readUint32(bytes, start + 4), cause: body };
    case Type.timeExceeded:
      return { type: "time-exceeded", code, cause: body };
    case Type.parameterProblem:
      if (code !== unknownNextHeader) return undefined;
      return { type: "unknown-next-header", pointer: readUint32(bytes, start + 4), cause: body };
    default:
      return undefined;
  }
}

/**
 * Writes a message to `bytes` at `offset`, with a copy of its body, and returns its length. `addressSum` is the
 * `pseudoHeaderSum` of its addresses. The caller truncates a cause so that the packet stays within 1280 bytes.
 */
export function writeIcmpv6(
  bytes: Uint8Array,
  offset: number,
  message: Icmpv6Message,
  addressSum: number,
): number {
  const { type, code, parameter, body } = fieldsOf(message);
  bytes[offset] = type;
  bytes[offset + 1] = code;
  writeUint16(bytes, offset + 2, 0);
  writeUint32(bytes, offset + 4, parameter);
  bytes.set(body, offset + headerBytes);
  const length = headerBytes + body.length;
  const sum = addWords(addressSum + length, bytes, offset, offset + length);
  writeUint16(bytes, offset + 2, finishChecksum(sum));
  return length;
}

interface Fields {
  readonly type: number;
  readonly code: number;
  readonly parameter: number;
  readonly body: Uint8Array;
}

function fieldsOf(message: Icmpv6Message): Fields {
  switch (message.type) {
    case "echo-request":
    case "echo-reply":
      return {
        type: message.type === "echo-request" ? Type.echoRequest : Type.echoReply,
        code: 0,
        parameter: message.identifier * 0x1_0000 + message.sequence,
        body: message.data,
      };
    case "unreachable":
      return { type: Type.unreachable, code: message.code, parameter: 0, body: message.cause };
    case "packet-too-big":
      return { type: Type.packetTooBig, code: 0, parameter: message.mtu, body: message.cause };
    case "time-exceeded":
      return { type: Type.timeExceeded, code: message.code, parameter: 0, body: message.cause };
    case "unknown-next-header":
      return {
        type: Type.parameterProblem,
        code: unknownNextHeader,
        parameter: message.pointer,
        body: message.cause,
      };
  }
}
