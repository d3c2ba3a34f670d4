import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import { DrpcError } from "./errors.ts";
import { PacketKind } from "./frame.ts";
import { encodeMetadata } from "./metadata.ts";
import type { DrpcMetadata } from "./metadata.ts";
import { PacketReader } from "./packet-reader.ts";
import { encodePacket } from "./packet.ts";
import type { DrpcPacket } from "./packet.ts";
import { parseRpcError } from "./rpc-error.ts";

/** An event of a call. Nothing follows `end` or `error` for this RPC. */
export type CallerEvent =
  /** May be a view of the received chunk. */
  | { readonly type: "message"; readonly bytes: Uint8Array }
  /** No more messages. A unary call that ends without a message has failed. */
  | { readonly type: "end" }
  | { readonly type: "error"; readonly code: number; readonly message: string };

/*
 *   over --invoke()--> active --both sent CloseSend, or either Close, Error, Cancel--> over
 */
type CallState =
  | { readonly type: "active"; isSendClosed: boolean; isReceiveClosed: boolean }
  | { readonly type: "over" };

const nothing = new Uint8Array(0);
const noMetadata: DrpcMetadata = new Map();

/**
 * The calling side of one yamux stream (docs/protocol/rpc.md §3). Each method returns the bytes to write to that
 * stream; the owner may join them, and must not end the yamux stream before the reply has arrived
 * (docs/protocol/rpc.md §3.3). Methods other than `invoke` return no bytes when the RPC is over.
 */
export class DrpcCaller {
  readonly #reader = new PacketReader();
  #call: CallState = { type: "over" };
  /** The id of the latest RPC on this yamux stream; 0 before the first. */
  #streamId = 0;
  #messageId = 0;

  /** Begins an RPC. Throws "rpc-active" while another runs. */
  invoke(path: string, metadata: DrpcMetadata = noMetadata): Uint8Array {
    if (this.#call.type === "active") {
      throw new DrpcError("rpc-active", `invoked ${path} while another call is active`);
    }
    this.#streamId += 1;
    this.#messageId = 0;
    this.#call = { type: "active", isSendClosed: false, isReceiveClosed: false };
    const packets: Uint8Array[] = [];
    if (metadata.size > 0) {
      packets.push(this.#packet(PacketKind.invokeMetadata, encodeMetadata(metadata)));
    }
    packets.push(this.#packet(PacketKind.invoke, encodeUtf8(path)));
    return joinBytes(packets);
  }

  message(bytes: Uint8Array): Uint8Array {
    const call = this.#started();
    if (call.type === "over") return nothing;
    if (call.isSendClosed) throw new DrpcError("send-closed", "message after closeSend");
    return this.#packet(PacketKind.message, bytes);
  }

  /** Tells the responder that this side sends no more messages. */
  closeSend(): Uint8Array {
    const call = this.#started();
    if (call.type === "over" || call.isSendClosed) return nothing;
    call.isSendClosed = true;
    this.#endIfBothClosed(call);
    return this.#packet(PacketKind.closeSend, nothing);
  }

  /** Ends the call on our side, and notifies the responder unless it is already over. End the yamux stream after it. */
  close(): Uint8Array {
    if (this.#started().type === "over") return nothing;
    this.#call = { type: "over" };
    return this.#packet(PacketKind.close, nothing);
  }

  /** Handles a chunk of the yamux stream, cut anywhere. Throws `DrpcError`: reset the yamux stream then. */
  receive(chunk: Uint8Array): readonly CallerEvent[] {
    const events: CallerEvent[] = [];
    for (const packet of this.#reader.read(chunk)) this.#receivePacket(packet, events);
    return events;
  }

  #receivePacket(packet: DrpcPacket, events: CallerEvent[]): void {
    if (packet.kind === PacketKind.invoke || packet.kind === PacketKind.invokeMetadata) {
      throw new DrpcError("protocol-error", "invoke from the responder");
    }
    if (packet.streamId > this.#streamId) {
      throw new DrpcError(
        "protocol-error",
        `answer to stream ${String(packet.streamId)}, the latest is ${String(this.#streamId)}`,
      );
    }
    // A late packet of a finished call is dropped.
    if (packet.streamId < this.#streamId || this.#call.type === "over") return;
    this.#receiveForCall(packet, this.#call, events);
  }

  #receiveForCall(
    packet: DrpcPacket,
    call: CallState & { type: "active" },
    events: CallerEvent[],
  ): void {
    switch (packet.kind) {
      case PacketKind.message:
        if (!call.isReceiveClosed) events.push({ type: "message", bytes: packet.data });
        return;
      case PacketKind.closeSend:
        if (!call.isReceiveClosed) events.push({ type: "end" });
        call.isReceiveClosed = true;
        this.#endIfBothClosed(call);
        return;
      case PacketKind.error:
        this.#call = { type: "over" };
        // No one receives an error after the end (docs/protocol/rpc.md §3.5).
        if (!call.isReceiveClosed) events.push({ type: "error", ...parseRpcError(packet.data) });
        return;
      default:
        // Close and Cancel.
        this.#call = { type: "over" };
        if (!call.isReceiveClosed) events.push({ type: "end" });
    }
  }

  #endIfBothClosed(call: CallState & { type: "active" }): void {
    if (call.isSendClosed && call.isReceiveClosed) this.#call = { type: "over" };
  }

  #packet(kind: number, data: Uint8Array): Uint8Array {
    const bytes = encodePacket({
      kind,
      streamId: this.#streamId,
      messageId: this.#messageId + 1,
      data,
    });
    this.#messageId += 1;
    return bytes;
  }

  #started(): CallState {
    if (this.#streamId === 0) throw new DrpcError("no-rpc", "method called before invoke");
    return this.#call;
  }
}
