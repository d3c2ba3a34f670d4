import type { TransportSession } from "./transport-session.ts";

/*
 *             initiated              confirmed by the peer
 *  (new) ──────────────► current ◄────────────────────── next ◄────── responded (new)
 *                           │
 *                           ▼
 *                       previous   still decrypts what was under way
 */

/** The sessions with one peer: at most three (docs/protocol/tailnet.md §5.5). */
export class KeySlots {
  #previous: TransportSession | undefined;
  #current: TransportSession | undefined;
  #next: TransportSession | undefined;
  readonly #forget: (session: TransportSession) => void;

  /** `forget` receives each session that is no longer kept. */
  constructor(forget: (session: TransportSession) => void) {
    this.#forget = forget;
  }

  /** The session that encrypts. */
  get current(): TransportSession | undefined {
    return this.#current;
  }

  /** Adds a session that the peer has confirmed by its response. */
  addInitiated(session: TransportSession): void {
    // The peer may already use the session of our response.
    if (this.#next === undefined) this.#retire(this.#current);
    else {
      this.#drop(this.#current);
      this.#retire(this.#next);
      this.#next = undefined;
    }
    this.#current = session;
  }

  /** Adds a session that the peer has yet to confirm. */
  addResponded(session: TransportSession): void {
    this.#drop(this.#next);
    this.#next = session;
  }

  /** Promotes a session in which a message has arrived, if it waited for that; returns true if so. */
  confirm(session: TransportSession): boolean {
    if (session !== this.#next) return false;
    this.#retire(this.#current);
    this.#current = session;
    this.#next = undefined;
    return true;
  }

  /** Forgets all sessions. */
  clear(): void {
    for (const session of [this.#previous, this.#current, this.#next]) this.#drop(session);
    this.#previous = undefined;
    this.#current = undefined;
    this.#next = undefined;
  }

  #retire(session: TransportSession | undefined): void {
    this.#drop(this.#previous);
    this.#previous = session;
  }

  #drop(session: TransportSession | undefined): void {
    if (session !== undefined) this.#forget(session);
  }
}
