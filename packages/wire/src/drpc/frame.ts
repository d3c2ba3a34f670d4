import { BytesError } from "../bytes/errors.ts";
import { joinBytes } from "../bytes/join.ts";
import { appendVarint, parseVarint } from "../bytes/varint.ts";
import { DrpcError } from "./errors.ts";

/*
 *   +--------------------+-----------+------------+-------------+------+
 *   | control (1 byte)   | stream id | message id | data length | data |
 *   +--------------------+-----------+------------+-------------+------+
 *                          varints
 *   control:  bit 0 = done, last frame of its packet; bits 1-6 = kind; bit 7 = control flag   (docs/protocol/rpc.md §3.1)
 */

/** The largest data of a packet, inclusive (docs/protocol/rpc.md §3.1). */
export const maxPacketBytes = 4 * 1024 * 1024;

/** Bits 1-6 of the control byte. */
export const PacketKind = {
  invoke: 1,
  message: 2,
  error: 3,
  cancel: 4,
  close: 5,
  closeSend: 6,
  invokeMetadata: 7,
} as const;

export interface DrpcFrame {
  /** 0 to 63; values missing from `PacketKind` are unknown. */
  readonly kind: number;
  /** The last frame of its packet. */
  readonly isDone: boolean;
  /** True for a control frame: ignored if its kind is unknown. */
  readonly isControl: boolean;
  /** At most 2^53 - 1. */
  readonly streamId: number;
  /** At most 2^53 - 1. */
  readonly messageId: number;
  readonly data: Uint8Array;
}

/** A frame and the offset after it, or the least number of bytes from the offset on that are needed to continue. */
export type ParsedFrame =
  | { readonly type: "frame"; readonly frame: DrpcFrame; readonly next: number }
  | { readonly type: "incomplete"; readonly wantedBytes: number };

/**
 * Parses the frame at `offset`; its data is a view. Throws `DrpcError` "malformed-frame", and "packet-too-large" as
 * soon as the length is known.
 */
export function parseFrame(bytes: Uint8Array, offset = 0): ParsedFrame {
  const incomplete = { type: "incomplete", wantedBytes: bytes.length - offset + 1 } as const;
  const control = bytes[offset];
  if (control === undefined) return incomplete;
  const streamId = parseNumber(bytes, offset + 1);
  if (streamId === undefined) return incomplete;
  const messageId = parseNumber(bytes, streamId.next);
  if (messageId === undefined) return incomplete;
  const length = parseNumber(bytes, messageId.next);
  if (length === undefined) return incomplete;
  if (length.value > maxPacketBytes) throw packetTooLarge(length.value);
  const next = length.next + length.value;
  if (next > bytes.length) return { type: "incomplete", wantedBytes: next - offset };
  const frame = {
    kind: (control >> 1) & 0x3f,
    isDone: (control & 0x01) !== 0,
    isControl: (control & 0x80) !== 0,
    streamId: streamId.value,
    messageId: messageId.value,
    data: bytes.subarray(length.next, next),
  };
  return { type: "frame", frame, next };
}

/** Encodes a frame, with a copy of its data. */
export function encodeFrame(frame: DrpcFrame): Uint8Array {
  const head = [(frame.kind << 1) | (frame.isDone ? 0x01 : 0) | (frame.isControl ? 0x80 : 0)];
  appendVarint(head, frame.streamId);
  appendVarint(head, frame.messageId);
  appendVarint(head, frame.data.length);
  return joinBytes([Uint8Array.from(head), frame.data]);
}

/** Creates the error for a packet of `length` bytes of data. */
export function packetTooLarge(length: number): DrpcError {
  return new DrpcError(
    "packet-too-large",
    `packet of ${String(length)} bytes, at most ${String(maxPacketBytes)} allowed`,
  );
}

function parseNumber(bytes: Uint8Array, offset: number): ReturnType<typeof parseVarint> {
  try {
    return parseVarint(bytes, offset);
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new DrpcError("malformed-frame", `frame header: ${error.message}`, { cause: error });
  }
}
