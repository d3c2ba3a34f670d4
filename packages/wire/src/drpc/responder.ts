import { BytesError } from "../bytes/errors.ts";
import { parseUtf8 } from "../bytes/utf8.ts";
import { DrpcError } from "./errors.ts";
import { PacketKind } from "./frame.ts";
import { parseMetadata } from "./metadata.ts";
import type { DrpcMetadata } from "./metadata.ts";
import { PacketReader } from "./packet-reader.ts";
import { encodePacket } from "./packet.ts";
import type { DrpcPacket } from "./packet.ts";
import { encodeRpcError } from "./rpc-error.ts";

/** A request of the caller on one yamux stream. */
export type ResponderEvent =
  | { readonly type: "invoke"; readonly path: string; readonly metadata: DrpcMetadata }
  /** May be a view of the received chunk. */
  | { readonly type: "message"; readonly bytes: Uint8Array }
  /** No more messages from the caller. */
  | { readonly type: "close-send" }
  /** The call ended early: cancel the handler; its further output is dropped. */
  | { readonly type: "cancel"; readonly reason: "cancel" | "close" | "error" };

/*
 *   none --Invoke--> active --both sent CloseSend, or either Close, Error, Cancel--> over --Invoke, higher id--> active
 */
type CallState =
  | { readonly type: "none" }
  | {
      readonly type: "active";
      readonly streamId: number;
      isSendClosed: boolean;
      isReceiveClosed: boolean;
    }
  | { readonly type: "over"; readonly streamId: number };

const nothing = new Uint8Array(0);

/**
 * The called side of one yamux stream (docs/protocol/rpc.md §3). Each method returns the bytes to write to that
 * stream, and none when the RPC is over: a handler that finishes after a cancel need not care. The owner must notice
 * the end or reset of the yamux stream itself, which is also a cancel (docs/protocol/rpc.md §3.3).
 */
export class DrpcResponder {
  readonly #reader = new PacketReader();
  #call: CallState = { type: "none" };
  #metadata: { readonly streamId: number; readonly metadata: DrpcMetadata } | undefined;
  #messageId = 0;

  /** The bytes of an incomplete packet. */
  get waitingBytes(): number {
    return this.#reader.waitingBytes;
  }

  /** Handles a chunk of the yamux stream, cut anywhere. Throws `DrpcError`: reset the yamux stream then. */
  receive(chunk: Uint8Array): readonly ResponderEvent[] {
    const events: ResponderEvent[] = [];
    for (const packet of this.#reader.read(chunk)) this.#receivePacket(packet, events);
    return events;
  }

  /** Sends one response message, which may be empty but must not be omitted in a unary call. */
  message(bytes: Uint8Array): Uint8Array {
    const call = this.#started();
    if (call.type === "over") return nothing;
    if (call.isSendClosed) throw new DrpcError("send-closed", "message after closeSend");
    return this.#packet(call.streamId, PacketKind.message, bytes);
  }

  /** Ends the response messages: the successful end of a unary call. */
  closeSend(): Uint8Array {
    const call = this.#started();
    if (call.type === "over" || call.isSendClosed) return nothing;
    call.isSendClosed = true;
    const bytes = this.#packet(call.streamId, PacketKind.closeSend, nothing);
    this.#endIfBothClosed(call);
    return bytes;
  }

  /** Fails the call; `code` is 0 or `drpcCodeUnimplemented`. */
  error(code: number, text: string): Uint8Array {
    return this.#end(PacketKind.error, encodeRpcError({ code, message: text }));
  }

  /** Ends the whole call: the successful end of a stream. */
  close(): Uint8Array {
    return this.#end(PacketKind.close, nothing);
  }

  #receivePacket(packet: DrpcPacket, events: ResponderEvent[]): void {
    if (packet.kind === PacketKind.invokeMetadata) {
      this.#metadata = { streamId: packet.streamId, metadata: parseMetadata(packet.data) };
    } else if (packet.kind === PacketKind.invoke) {
      this.#receiveInvoke(packet, events);
    } else if (this.#call.type === "active" && this.#call.streamId === packet.streamId) {
      this.#receiveForCall(packet, this.#call, events);
    } else if (packet.kind === PacketKind.message && !this.#isOver(packet.streamId)) {
      throw new DrpcError(
        "protocol-error",
        `message for stream ${String(packet.streamId)} before invoke`,
      );
    }
    // The rest belongs to a call that is already over, such as the late Close after a reply (docs/protocol/rpc.md
    // §3.3).
  }

  #receiveInvoke(packet: DrpcPacket, events: ResponderEvent[]): void {
    const { streamId } = packet;
    // No answer, as with stock peers (docs/protocol/rpc.md §3.2).
    if (this.#isOver(streamId)) return;
    if (this.#call.type === "active") {
      if (this.#call.streamId === streamId) {
        throw new DrpcError("protocol-error", `second invoke of stream ${String(streamId)}`);
      }
      events.push({ type: "cancel", reason: "cancel" });
    }
    this.#call = { type: "active", streamId, isSendClosed: false, isReceiveClosed: false };
    this.#messageId = 0;
    const metadata = this.#metadata?.streamId === streamId ? this.#metadata.metadata : new Map();
    this.#metadata = undefined;
    events.push({ type: "invoke", path: parsePath(packet.data), metadata });
  }

  #receiveForCall(
    packet: DrpcPacket,
    call: CallState & { type: "active" },
    events: ResponderEvent[],
  ): void {
    switch (packet.kind) {
      case PacketKind.message:
        if (!call.isReceiveClosed) events.push({ type: "message", bytes: packet.data });
        return;
      case PacketKind.closeSend:
        if (call.isReceiveClosed) return;
        call.isReceiveClosed = true;
        events.push({ type: "close-send" });
        this.#endIfBothClosed(call);
        return;
      case PacketKind.cancel:
        this.#cancel(call, "cancel", events);
        return;
      case PacketKind.close:
        this.#cancel(call, "close", events);
        return;
      case PacketKind.error:
        this.#cancel(call, "error", events);
    }
  }

  #cancel(
    call: CallState & { type: "active" },
    reason: "cancel" | "close" | "error",
    events: ResponderEvent[],
  ): void {
    this.#call = { type: "over", streamId: call.streamId };
    events.push({ type: "cancel", reason });
  }

  #endIfBothClosed(call: CallState & { type: "active" }): void {
    if (call.isSendClosed && call.isReceiveClosed) {
      this.#call = { type: "over", streamId: call.streamId };
    }
  }

  #end(kind: number, data: Uint8Array): Uint8Array {
    const call = this.#started();
    if (call.type === "over") return nothing;
    const bytes = this.#packet(call.streamId, kind, data);
    this.#call = { type: "over", streamId: call.streamId };
    return bytes;
  }

  #packet(streamId: number, kind: number, data: Uint8Array): Uint8Array {
    const bytes = encodePacket({ kind, streamId, messageId: this.#messageId + 1, data });
    this.#messageId += 1;
    return bytes;
  }

  #started(): Exclude<CallState, { type: "none" }> {
    if (this.#call.type === "none") throw new DrpcError("no-rpc", "answer before invoke");
    return this.#call;
  }

  #isOver(streamId: number): boolean {
    return this.#call.type === "over" && this.#call.streamId >= streamId;
  }
}

function parsePath(data: Uint8Array): string {
  try {
    return parseUtf8(data);
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new DrpcError("malformed-frame", `invoke path: ${error.message}`, { cause: error });
  }
}
