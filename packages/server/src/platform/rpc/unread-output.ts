import type { YamuxSession } from "@slipway/wire";
import type { WebSocket } from "ws";

import { sessionLimits as limits } from "./session-limits.ts";

interface Owner {
  /** Asks for `flush` soon. */
  flush(): void;
  /** Told when there is no longer too much. */
  drained(): void;
}

/*
 *   fine --more than maxUnreadBytes in all, or more than maxSocketBytes in the socket--> too much
 *   too much --less than half of either--> fine
 *   too much --unreadTimeoutMs--> cut off, by the owner
 */
/** What a session has written and its peer has not read: in the queues of yamux, and in the socket. */
export class UnreadOutput {
  readonly #socket: WebSocket;
  readonly #yamux: Pick<YamuxSession, "takeOutput" | "totalQueuedBytes">;
  readonly #owner: Owner;
  #queuedBytes = 0;
  #isTooMuch = false;
  #cutOffAt = Infinity;
  /** Streaming calls that wait with their next answer; made when one does. */
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

  /** When the peer has had time enough to read, as `now` counts; never while there is not too much. */
  get cutOffAt(): number {
    return this.#cutOffAt;
  }

  /** Notes bytes that were queued. */
  wrote(bytes: number, now: number): void {
    this.#queuedBytes += bytes;
    if (this.#queuedBytes > limits.maxUnreadBytes) this.#begin(now);
  }

  /** Hands the socket what it takes, and decides anew. */
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
    // Before the queues are empty: what it reads grants the credit for them.
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
