import { ByteQueue } from "../bytes/byte-queue.ts";
import { YamuxError } from "./events.ts";

/** The bytes that each side may send on a new stream before it receives more credit (docs/protocol/rpc.md §2.4). */
export const initialWindow = 262_144;

/** The minimum delta for which a window update is worth a frame. */
export const updateThreshold = initialWindow / 2;

/** The maximum credit; a peer that grants more has lost count. */
const maxCredit = 0xffff_ffff;

/*
 *   sending:    open --finish()--> finishing --queue empty, FIN sent--> finished
 *   receiving:  open --FIN received--> finished
 *
 * When both are finished, or on a reset from either side, the session forgets the stream.
 */
/**
 * One stream's credit, queue and half-closes (docs/protocol/rpc.md §2.3, §2.4). The session puts its frames on the
 * wire.
 */
export class StreamState {
  readonly id: number;
  readonly openedBy: "us" | "peer";
  /** True while an ACK is due to the peer, or from it. */
  handshake: "pending" | "done" = "pending";

  /** The bytes that we may still send. */
  #credit = initialWindow;
  /** The bytes that the peer may still send. */
  #window = initialWindow;
  /** The unconsumed bytes of announced frames. */
  #unconsumed = 0;
  #sending: "open" | "finishing" | "finished" = "open";
  #receiving: "open" | "finished" = "open";
  readonly #queue = new ByteQueue();
  /** True if a write was refused since the queue was last low. */
  #refused = false;

  constructor(id: number, openedBy: "us" | "peer") {
    this.id = id;
    this.openedBy = openedBy;
  }

  get queuedBytes(): number {
    return this.#queue.length;
  }

  get isOver(): boolean {
    return this.#sending === "finished" && this.#receiving === "finished";
  }

  get isPeerFinished(): boolean {
    return this.#receiving === "finished";
  }

  /** True if queued bytes may go out now. */
  get canSend(): boolean {
    return this.#queue.length > 0 && this.#credit > 0;
  }

  /** True if only the FIN is left to send. */
  get mustSendFin(): boolean {
    return this.#sending === "finishing" && this.#queue.length === 0;
  }

  /** Queues `bytes`, which it keeps. Throws "stream-finished" after `finish`, "queue-full" beyond `maxQueuedBytes`. */
  write(bytes: Uint8Array, maxQueuedBytes: number): void {
    if (this.#sending !== "open") {
      throw new YamuxError("stream-finished", `write to stream ${String(this.id)} after its end`);
    }
    if (this.#queue.length + bytes.length > maxQueuedBytes) {
      this.#refused = true;
      throw new YamuxError(
        "queue-full",
        `stream ${String(this.id)} has ${String(this.#queue.length)} bytes queued, no room for ${String(bytes.length)} of at most ${String(maxQueuedBytes)}`,
      );
    }
    this.#queue.push(bytes);
  }

  /** Finishes the sending side; false if it was already finished. */
  finish(): boolean {
    if (this.#sending !== "open") return false;
    this.#sending = "finishing";
    return true;
  }

  finSent(): void {
    this.#sending = "finished";
  }

  /** Removes the next Data frame's payload from the queue: as much as the credit allows, as views. */
  takePayload(): readonly Uint8Array[] {
    const length = Math.min(this.#credit, this.#queue.length);
    this.#credit -= length;
    return this.#queue.take(length);
  }

  /** Returns true once after a refused write, when at most half of `maxQueuedBytes` is queued. */
  takeWritable(maxQueuedBytes: number): boolean {
    if (!this.#refused || this.#queue.length > maxQueuedBytes / 2) return false;
    this.#refused = false;
    return true;
  }

  /** Adds the `delta` bytes of credit that the peer gave. */
  grant(delta: number): void {
    if (this.#credit + delta > maxCredit) {
      throw new YamuxError(
        "protocol-error",
        `stream ${String(this.id)}: window update by ${String(delta)} beyond 2^32 - 1`,
      );
    }
    this.#credit += delta;
  }

  /**
   * Begins a Data frame of `length` bytes. All of it counts as unconsumed from now on, so that no credit is granted
   * twice.
   */
  announce(length: number): void {
    if (this.#receiving === "finished") {
      throw new YamuxError("protocol-error", `stream ${String(this.id)}: data after FIN`);
    }
    if (length > this.#window) {
      throw new YamuxError(
        "protocol-error",
        `stream ${String(this.id)}: frame of ${String(length)} bytes, window ${String(this.#window)}`,
      );
    }
    this.#window -= length;
    this.#unconsumed += length;
  }

  peerFinished(): void {
    if (this.#receiving === "finished") {
      throw new YamuxError("protocol-error", `stream ${String(this.id)}: second FIN`);
    }
    this.#receiving = "finished";
  }

  /** Consumes `byteCount` bytes for the application; true if a window update is due. */
  consume(byteCount: number): boolean {
    if (byteCount > this.#unconsumed) {
      throw new YamuxError(
        "consumed-too-much",
        `stream ${String(this.id)}: ${String(byteCount)} bytes consumed, ${String(this.#unconsumed)} were there`,
      );
    }
    this.#unconsumed -= byteCount;
    return this.owesCredit;
  }

  /** True if the peer may send so little that a window update is due. */
  get owesCredit(): boolean {
    return this.#receiving === "open" && this.#delta() >= updateThreshold;
  }

  /** Returns the delta of the window update that is sent now, and resets it. */
  takeDelta(): number {
    if (this.#receiving === "finished") return 0;
    const delta = this.#delta();
    this.#window += delta;
    return delta;
  }

  #delta(): number {
    return initialWindow - this.#unconsumed - this.#window;
  }
}
