import type { YamuxSession } from "@slipway/wire";
import type { WebSocket } from "ws";

import { sessionLimits as limits } from "./session-limits.ts";

interface Owner {
  /** Requests a `flush` soon. */
  flush(): void;
  /** Called when there is no longer too much. */
  drained(): void;
}

/*
 *   fine --more than maxUnreadBytes in all, or more than maxSocketBytes in the socket--> too much
 *   too much --less than half of either--> fine
 *   too much --unreadTimeoutMs--> cut off, by the owner
 */
/** Tracks the output that a session has written and its peer has not read: in yamux's queues, and in the socket. */
export class UnreadOutput {
  readonly #socket: WebSocket;
  readonly #yamux: Pick<YamuxSession, "takeOutput" | "totalQueuedBytes">;
  readonly #owner: Owner;
  #queuedBytes = 0;
  #isTooMuch = false;
  #cutOffAt = Infinity;
  /** Streaming calls that wait before their next answer; created on demand. */
  #waiting: Set<() => void> | undefined;
  readonly #onSent = (): void => {
    if (this.#isTooMuch) this.#owner.flush();
  };

  constructor(
    socket: WebSocket,
    yamux: Pick<YamuxSession, "takeOutput" | "totalQueuedBytes">,
    owner: Owner,
  ) {
    this.#socket = socket;
    this.#yamux = yamux;
    this.#owner = owner;
  }

  get isTooMuch(): boolean {
    return this.#isTooMuch;
  }

  /**
   * The time at which the peer has had long enough to read, as `now` counts; `Infinity` while there is not too much.
   */
  get cutOffAt(): number {
    return this.#cutOffAt;
  }

  /** Counts queued bytes. */
  wrote(bytes: number, now: number): void {
    this.#queuedBytes += bytes;
    if (this.#queuedBytes > limits.maxUnreadBytes) this.#begin(now);
  }

  /** Passes the socket as much as it accepts, and updates the state. */
  flush(now: number): void {
    if (this.#socket.bufferedAmount <= limits.maxSocketBytes) {
      const output = this.#yamux.takeOutput();
      if (output !== undefined) this.#socket.send(output, this.#onSent);
    }
    this.#queuedBytes = this.#yamux.totalQueuedBytes;
    this.#decide(now);
  }

  /** Resolves when there is no longer too much; undefined when there is not now. Rejects with the signal's reason. */
  drained(signal: AbortSignal): Promise<void> | undefined {
    if (!this.#isTooMuch) return undefined;
    this.#waiting ??= new Set();
    const waiting = this.#waiting;
    return new Promise((resolve, reject) => {
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

  #decide(now: number): void {
    const inSocket = this.#socket.bufferedAmount;
    const unread = this.#queuedBytes + inSocket;
    const isFull = inSocket > limits.maxSocketBytes;
    const { isPaused } = this.#socket;
    if (isFull && !isPaused) this.#socket.pause();
    // Before the queues are empty: reading from the socket brings credit for them.
    else if (isPaused && inSocket <= limits.maxSocketBytes / 2) this.#socket.resume();
    if (unread > limits.maxUnreadBytes || isFull) return this.#begin(now);
    if (!this.#isTooMuch) return;
    if (unread > limits.maxUnreadBytes / 2 || this.#socket.isPaused) return;
    this.#isTooMuch = false;
    this.#cutOffAt = Infinity;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const go of waiting ?? []) go();
    this.#owner.drained();
  }

  #begin(now: number): void {
    if (this.#isTooMuch) return;
    this.#isTooMuch = true;
    this.#cutOffAt = now + limits.unreadTimeoutMs;
  }
}
