import type { YamuxSession } from "@slipway/wire/yamux/session";

import type { RawSocket } from "./socket.ts";

/** The largest message that a session sends: its peer holds it until it is complete. */
const maxSentMessageBytes = 256 * 1024;

/** The output that a peer may leave unread. */
export interface OutputLimits {
  /** Total bytes, in yamux's queues and in the socket. */
  readonly maxUnreadBytes: number;
  /** Bytes in the socket; above this, reading from it pauses. */
  readonly maxSocketBytes: number;
  /** The time after which a peer with too many unread bytes is cut off, in milliseconds. */
  readonly unreadTimeoutMs: number;
}

/*
 *   fine --more than maxUnreadBytes in all, or more than maxSocketBytes in the socket--> too much
 *   too much --less than half of either--> fine
 *   too much --unreadTimeoutMs--> cut off, by the owner
 */
/** Tracks the output that a session has written and its peer has not read: in yamux's queues, and in the socket. */
export class UnreadOutput {
  readonly #socket: RawSocket;
  readonly #yamux: Pick<YamuxSession, "takeOutput" | "totalQueuedBytes">;
  readonly #limits: OutputLimits;
  readonly #onSent: () => void;
  #queuedBytes = 0;
  #isTooMuch = false;
  #cutOffAt = Infinity;
  /** Writers that wait for the peer to read; created on demand. */
  #waiting: Set<() => void> | undefined;

  /** Takes `onSent`, which is called when the kernel has accepted some output. */
  constructor(
    socket: RawSocket,
    yamux: Pick<YamuxSession, "takeOutput" | "totalQueuedBytes">,
    limits: OutputLimits,
    onSent: () => void,
  ) {
    this.#socket = socket;
    this.#yamux = yamux;
    this.#limits = limits;
    this.#onSent = onSent;
  }

  get isTooMuch(): boolean {
    return this.#isTooMuch;
  }

  /** The time, on the clock of `now`, at which the peer is cut off; `Infinity` while there is not too much. */
  get cutOffAt(): number {
    return this.#cutOffAt;
  }

  /** Counts queued bytes. */
  wrote(bytes: number, now: number): void {
    this.#queuedBytes += bytes;
    if (this.#queuedBytes > this.#limits.maxUnreadBytes) this.#begin(now);
  }

  /** Passes the socket as much as it accepts; returns true if there is no longer too much. */
  flush(now: number): boolean {
    if (this.#socket.bufferedAmount <= this.#limits.maxSocketBytes) {
      const output = this.#yamux.takeOutput() ?? new Uint8Array(0);
      for (let at = 0; at < output.length; at += maxSentMessageBytes) {
        this.#socket.send(output.subarray(at, at + maxSentMessageBytes), this.#onSent);
      }
    }
    this.#queuedBytes = this.#yamux.totalQueuedBytes;
    return this.#decide(now);
  }

  /** Resolves when there is no longer too much; undefined if there is not too much now. Rejects with the signal's reason. */
  drained(signal: AbortSignal): Promise<void> | undefined {
    if (!this.#isTooMuch) return undefined;
    this.#waiting ??= new Set();
    const waiting = this.#waiting;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = (): void => {
        waiting.delete(go);
        reject(signal.reason);
      };
      const go = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.add(go);
    });
  }

  #decide(now: number): boolean {
    const { maxSocketBytes, maxUnreadBytes } = this.#limits;
    const inSocket = this.#socket.bufferedAmount;
    const unread = this.#queuedBytes + inSocket;
    const isFull = inSocket > maxSocketBytes;
    const { isPaused } = this.#socket;
    if (isFull && !isPaused) this.#socket.pause();
    // Resumes before the queues are empty: reading from the socket brings credit for them.
    else if (isPaused && inSocket <= maxSocketBytes / 2) this.#socket.resume();
    if (unread > maxUnreadBytes || isFull) this.#begin(now);
    else if (this.#isTooMuch && unread <= maxUnreadBytes / 2 && !this.#socket.isPaused) {
      this.#finish();
      return true;
    }
    return false;
  }

  #begin(now: number): void {
    if (this.#isTooMuch) return;
    this.#isTooMuch = true;
    this.#cutOffAt = now + this.#limits.unreadTimeoutMs;
  }

  #finish(): void {
    this.#isTooMuch = false;
    this.#cutOffAt = Infinity;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const go of waiting ?? []) go();
  }
}
