import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { joinBytes } from "../bytes/join.ts";
import { DrpcError } from "./errors.ts";
import { encodeFrame, maxPacketBytes, packetTooLarge, PacketKind } from "./frame.ts";
import type { DrpcFrame } from "./frame.ts";

/** The maximum data of one frame; larger packets are split (docs/protocol/rpc.md §3.1). A receiver accepts any size. */
const maxFrameDataBytes = 65_536;

/** All frames of one (stream id, message id), joined. */
export interface DrpcPacket {
  readonly kind: number;
  readonly streamId: number;
  readonly messageId: number;
  /** A view of the received bytes if the packet was a single frame. */
  readonly data: Uint8Array;
}

/**
 * Encodes the frames of a packet. Throws "packet-too-large", since the receiver would end the call without an error.
 */
export function encodePacket(packet: DrpcPacket): Uint8Array {
  const { kind, streamId, messageId, data } = packet;
  if (data.length > maxPacketBytes) throw packetTooLarge(data.length);
  const isControl = kind === PacketKind.cancel;
  const frames: Uint8Array[] = [];
  let at = 0;
  do {
    const part = data.subarray(at, at + maxFrameDataBytes);
    at += part.length;
    const isDone = at === data.length;
    frames.push(encodeFrame({ kind, isDone, isControl, streamId, messageId, data: part }));
  } while (at < data.length);
  return joinBytes(frames);
}

/** A packet whose last frame has not arrived. */
interface PartialPacket {
  readonly kind: number;
  readonly data: GrowingBuffer;
}

/** Joins frames to packets and checks their ids (docs/protocol/rpc.md §3.1). */
export class PacketAssembly {
  /** The latest pair of ids seen; the next packet's must be greater. */
  #streamId = 0;
  #messageId = 0;
  #partial: PartialPacket | undefined;

  /** The bytes of an unfinished packet. */
  get waitingBytes(): number {
    return this.#partial?.data.length ?? 0;
  }

  /**
   * Returns the packet that `frame` completes, if any. A newer packet discards an incomplete one. Throws `DrpcError`
   * "protocol-error" and "packet-too-large".
   */
  receive(frame: DrpcFrame): DrpcPacket | undefined {
    const { kind, streamId, messageId } = frame;
    if (!isKnownKind(kind)) {
      if (frame.isControl) return undefined;
      throw new DrpcError("protocol-error", `unknown packet kind ${String(kind)}`);
    }
    const partial = this.#partialFor(frame);
    const length = partial.data.length + frame.data.length;
    if (length > maxPacketBytes) throw packetTooLarge(length);
    if (frame.isDone) this.#partial = undefined;
    if (frame.isDone && partial.data.length === 0) {
      return { kind, streamId, messageId, data: frame.data };
    }
    partial.data.append(frame.data);
    return frame.isDone ? { kind, streamId, messageId, data: partial.data.take() } : undefined;
  }

  #partialFor(frame: DrpcFrame): PartialPacket {
    const order = this.#compare(frame);
    const isRepeated = order === 0 && this.#partial === undefined;
    if (order < 0 || isRepeated || frame.streamId === 0 || frame.messageId === 0) {
      throw new DrpcError(
        "protocol-error",
        `packet ${pair(frame.streamId, frame.messageId)} after ${pair(this.#streamId, this.#messageId)}`,
      );
    }
    if (order === 0 && this.#partial !== undefined) {
      if (this.#partial.kind === frame.kind) return this.#partial;
      throw new DrpcError(
        "protocol-error",
        `frame of kind ${String(frame.kind)} in a packet of kind ${String(this.#partial.kind)}`,
      );
    }
    this.#streamId = frame.streamId;
    this.#messageId = frame.messageId;
    this.#partial = { kind: frame.kind, data: new GrowingBuffer() };
    return this.#partial;
  }

  /**
   * Returns a negative number for a frame older than the latest, 0 for one of the same packet, a positive number for
   * a newer one.
   */
  #compare(frame: DrpcFrame): number {
    return frame.streamId - this.#streamId || frame.messageId - this.#messageId;
  }
}

function isKnownKind(kind: number): boolean {
  return kind >= PacketKind.invoke && kind <= PacketKind.invokeMetadata;
}

function pair(streamId: number, messageId: number): string {
  return `(${String(streamId)}, ${String(messageId)})`;
}
