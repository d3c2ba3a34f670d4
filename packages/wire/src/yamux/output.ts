import { joinBytes } from "../bytes/join.ts";
import { YamuxError } from "./events.ts";
import { encodeHeader, Flag, FrameType } from "./header.ts";
import type { FrameHeader } from "./header.ts";
import type { StreamState } from "./stream-state.ts";

/** The maximum number of frames waiting outside a stream's queue; a peer that forces more answers is not reading. */
export const maxWaitingReplies = 1024;

/** The output's reports to the session about a stream it wrote. */
export interface OutputObserver {
  sentData(stream: StreamState): void;
  sentFin(stream: StreamState): void;
}

/** The data that waits for the socket. Data is framed only when it is taken, so that no queue is duplicated here. */
export class Output {
  /** Frames outside the streams' queues; created on demand, see `YamuxSession.#events`. */
  #frames: Uint8Array[] | undefined;
  /** Streams that are due an ACK or a window update; created on demand, as an idle session has none. */
  #due: Set<StreamState> | undefined;
  /** Streams that have data or a FIN to send; created on demand. */
  #ready: Set<StreamState> | undefined;

  /** Queues a frame that the owner caused. */
  push(header: FrameHeader): void {
    this.#frames ??= [];
    this.#frames.push(encodeHeader(header));
  }

  /** Queues a frame that the peer caused. Throws "reply-flood". */
  reply(header: FrameHeader): void {
    if (this.#frames !== undefined && this.#frames.length >= maxWaitingReplies) {
      throw new YamuxError("reply-flood", `${String(maxWaitingReplies)} replies wait to be sent`);
    }
    this.push(header);
  }

  due(stream: StreamState): void {
    this.#due ??= new Set();
    this.#due.add(stream);
  }

  ready(stream: StreamState): void {
    if (!stream.canSend && !stream.mustSendFin) return;
    this.#ready ??= new Set();
    this.#ready.add(stream);
  }

  /** True if there are only acknowledgments and ends of streams, which no peer waits for. */
  get isPatient(): boolean {
    if (this.#frames !== undefined) return false;
    const due = [...(this.#due ?? [])];
    const ready = [...(this.#ready ?? [])];
    if (due.some((stream) => stream.owesCredit)) return false;
    return due.length + ready.length > 0 && !ready.some((stream) => stream.canSend);
  }

  forget(stream: StreamState): void {
    this.#due?.delete(stream);
    this.#ready?.delete(stream);
  }

  clear(): void {
    this.#frames = undefined;
    this.#due = undefined;
    this.#ready = undefined;
  }

  /** Removes and returns everything that may go out now, in one buffer. */
  take(observer: OutputObserver): Uint8Array | undefined {
    const pieces = this.#frames ?? [];
    this.#frames = undefined;
    for (const stream of this.#due ?? []) appendUpdate(pieces, stream);
    this.#due = undefined;
    const ready = this.#ready;
    this.#ready = undefined;
    for (const stream of ready ?? []) appendData(pieces, stream, observer);
    return pieces.length === 0 ? undefined : joinBytes(pieces);
  }
}

/** Appends ACK and window update in one frame (docs/protocol/rpc.md §2.3, §2.4). */
function appendUpdate(pieces: Uint8Array[], stream: StreamState): void {
  const owesAck = stream.openedBy === "peer" && stream.handshake === "pending";
  const length = stream.takeDelta();
  if (!owesAck && length === 0) return;
  if (owesAck) stream.handshake = "done";
  const flags = owesAck ? Flag.ack : 0;
  pieces.push(encodeHeader({ type: FrameType.windowUpdate, flags, streamId: stream.id, length }));
}

function appendData(pieces: Uint8Array[], stream: StreamState, observer: OutputObserver): void {
  if (stream.canSend) {
    const payload = stream.takePayload();
    let length = 0;
    for (const piece of payload) length += piece.length;
    pieces.push(encodeHeader({ type: FrameType.data, flags: 0, streamId: stream.id, length }));
    for (const piece of payload) pieces.push(piece);
    observer.sentData(stream);
  }
  if (stream.mustSendFin) {
    pieces.push(
      encodeHeader({
        type: FrameType.windowUpdate,
        flags: Flag.fin,
        streamId: stream.id,
        length: 0,
      }),
    );
    stream.finSent();
    observer.sentFin(stream);
  }
}
