import { YamuxError } from "./events.ts";
import type { StreamState } from "./stream-state.ts";

/** The maximum number of our streams that the peer has not acknowledged yet (docs/protocol/rpc.md §2.2). */
const acceptBacklog = 256;
/** The time within which our stream must be acknowledged, or the session ends (docs/protocol/rpc.md §2.2). */
const openTimeoutMs = 75_000;
/**
 * The time after our FIN within which the peer must send its own, or the stream is reset (docs/protocol/rpc.md §2.2).
 */
const closeTimeoutMs = 300_000;

/** The open streams of a session, and the deadlines of those that wait for the peer. */
export class StreamTable {
  readonly #streams = new Map<number, StreamState>();
  /** Our unanswered streams, with the time of their opening; oldest first. Created on demand, as an idle session has none. */
  #unanswered: Map<StreamState, number> | undefined;
  /** Streams that wait for the peer's FIN, with the time of our own; oldest first. Created on demand. */
  #closing: Map<StreamState, number> | undefined;
  #incoming = 0;

  /** The number of streams that the peer has opened. */
  get incoming(): number {
    return this.#incoming;
  }

  get(streamId: number): StreamState | undefined {
    return this.#streams.get(streamId);
  }

  /** Returns true if this very stream is open, and not another with its id. */
  has(stream: StreamState): boolean {
    return this.#streams.get(stream.id) === stream;
  }

  values(): Iterable<StreamState> {
    return this.#streams.values();
  }

  /** Throws "backlog-full" while 256 of our streams wait for their answer. */
  requireRoom(): void {
    const unanswered = this.#unanswered?.size ?? 0;
    if (unanswered < acceptBacklog) return;
    throw new YamuxError(
      "backlog-full",
      `${String(unanswered)} streams wait for an answer, at most ${String(acceptBacklog)} may`,
    );
  }

  /** Adds a stream opened now; one of ours waits for its answer. */
  add(stream: StreamState, now: number): void {
    this.#streams.set(stream.id, stream);
    if (stream.openedBy === "peer") {
      this.#incoming += 1;
      return;
    }
    this.#unanswered ??= new Map();
    this.#unanswered.set(stream, now);
  }

  /** Records that the peer answered one of our streams. */
  answered(stream: StreamState): void {
    stream.handshake = "done";
    this.#unanswered?.delete(stream);
  }

  /** Makes a stream wait for the peer's FIN from now on. */
  awaitFin(stream: StreamState, now: number): void {
    this.#closing ??= new Map();
    this.#closing.set(stream, now);
  }

  remove(stream: StreamState): void {
    this.#streams.delete(stream.id);
    this.#unanswered?.delete(stream);
    this.#closing?.delete(stream);
    if (this.#closing?.size === 0) this.#closing = undefined;
    if (stream.openedBy === "peer") this.#incoming -= 1;
  }

  clear(): void {
    this.#streams.clear();
    this.#unanswered = undefined;
    this.#closing = undefined;
    this.#incoming = 0;
  }

  /** The time at which the first wait is over; infinity if nothing waits. */
  get deadline(): number {
    const [openedAt = Infinity] = this.#unanswered?.values() ?? [];
    const [since = Infinity] = this.#closing?.values() ?? [];
    return Math.min(openedAt + openTimeoutMs, since + closeTimeoutMs);
  }

  /** Throws "open-timeout" if the peer has left one of our streams unanswered for too long. */
  requireAnswers(now: number): void {
    const [oldest] = this.#unanswered ?? [];
    if (oldest === undefined) return;
    const [{ id }, openedAt] = oldest;
    if (now - openedAt < openTimeoutMs) return;
    throw new YamuxError(
      "open-timeout",
      `stream ${String(id)} not acknowledged ${String(now - openedAt)} ms after it was opened`,
    );
  }

  /** Returns the streams that have waited for the peer's FIN for too long. */
  overdue(now: number): readonly StreamState[] {
    const overdue: StreamState[] = [];
    for (const [stream, since] of this.#closing ?? []) {
      if (now - since < closeTimeoutMs) break;
      overdue.push(stream);
    }
    return overdue;
  }
}
