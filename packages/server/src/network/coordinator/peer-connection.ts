import { type Clock, errorText, type Logger, retry, Wake } from "@slipway/runtime";

import type { Peer, PeerDirectory, PublishedNode, View } from "./peer-directory.ts";
import { type PeerUpdate, ToldPeers } from "./told-peers.ts";

/** A response to a peer: changes of others, a notice, or the reason for the end. */
export type PeerResponse =
  | { readonly peerUpdates: readonly PeerUpdate[] }
  | { readonly error: string };

/** The parts that all connections of a coordinator share. */
export interface ConnectionParts {
  readonly directory: PeerDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the coordinator closes. */
  readonly signal: AbortSignal;
  readonly owner: ConnectionOwner;
}

/** The coordinator of many connections. */
export interface ConnectionOwner {
  /** Reads the view of a connection soon, and shows it; the owner also does so periodically. */
  look(connection: PeerConnection): void;
  /** Called with the number of updates that a peer is sent. */
  countUpdates(count: number): void;
  /** Called with each node that a peer has published. */
  announce(node: PublishedNode): void;
  /** Called when a connection is over. */
  forget(connection: PeerConnection): void;
}

/**
 * The way in which a peer leaves: for good, perhaps to come back, or by closing its connection without notice, as when
 * its process is killed.
 */
export type LeaveKind = "disconnected" | "lost" | "gone";

/** The maximum number of notices that wait for a peer that does not read; more are dropped. */
const maxNotices = 64;

/**
 * One connection of a peer. Its opener reads `responses` and calls `leave` in the end. Changes are not queued for it:
 * when it reads, it gets the difference between what it was told and the current state.
 *
 *   open --end: displaced, closed, unhealthy--> over, and nothing more is written for it
 *   open --leave--> over, and the directory learns how
 */
export class PeerConnection {
  readonly peer: Peer;
  readonly #parts: ConnectionParts;
  readonly #subscription: Disposable;
  readonly #told = new ToldPeers();
  readonly #wake = new Wake();
  readonly #notices: string[] = [];
  /** The peers to which it has opened tunnels; created on demand, as an agent opens none. */
  #destinations: Set<string> | undefined;
  /** The peers that it was ready for before it had published a node: only then does its readiness count. */
  #earlyReady: Set<string> | undefined;
  /** The newest view that was not compared yet. */
  #view: View | undefined;
  #written: Promise<void>;
  #isFirstNode = true;
  #end: { readonly error: string | undefined } | undefined;

  /** Takes `after`, the writes of the peer's earlier connection, which come first. */
  constructor(peer: Peer, parts: ConnectionParts, after: Promise<void> | undefined) {
    this.peer = peer;
    this.#parts = parts;
    this.#written = after ?? Promise.resolve();
    this.#subscription = parts.directory.subscribe(peer.id, () => parts.owner.look(this));
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** The number of tunnels that it has opened. */
  get tunnels(): number {
    return this.#destinations?.size ?? 0;
  }

  /** Resolves when everything that the peer asked for so far is written; never rejects. */
  get written(): Promise<void> {
    return this.#written;
  }

  /** Publishes the peer's node; resolves to false if it contains a value that belongs to another. */
  async publish(node: PublishedNode): Promise<boolean> {
    const isFirst = this.#isFirstNode;
    this.#isFirstNode = false;
    const { directory, owner } = this.#parts;
    const isTaken = await this.#write(true, () => directory.putNode(this.peer, node, isFirst));
    if (isTaken) owner.announce(node);
    if (isTaken && this.#earlyReady?.size) {
      const others = [...this.#earlyReady];
      this.#earlyReady = undefined;
      await this.#write(undefined, () => directory.sayReady(this.peer.id, others));
    }
    return isTaken;
  }

  async addTunnel(destination: string): Promise<void> {
    this.#destinations ??= new Set();
    this.#destinations.add(destination);
    await this.#write(undefined, () => this.#parts.directory.addTunnel(this.peer, destination));
  }

  async removeTunnel(destination: string): Promise<void> {
    this.#destinations?.delete(destination);
    await this.#write(undefined, () =>
      this.#parts.directory.removeTunnel(this.peer.id, destination),
    );
    this.#told.repeat(destination);
    if (this.#end === undefined) this.#parts.owner.look(this);
  }

  /** Tells others that the peer is ready for their handshakes, and the peer with which of them it shares no tunnel. */
  async sayReady(others: readonly string[]): Promise<void> {
    if (this.#isFirstNode) this.#addEarlyReady(others);
    const told = await this.#write(new Set(others), () =>
      this.#parts.directory.sayReady(this.peer.id, others),
    );
    for (const id of others) {
      if (told.has(id)) continue;
      this.#earlyReady?.delete(id);
      if (this.#notices.length >= maxNotices) continue;
      this.#notices.push(
        `ready for handshake error: you do not share a tunnel with ${JSON.stringify(id)}`,
      );
    }
    this.#wake.wake();
  }

  /** Sets the newest view, which the peer is sent next. */
  show(view: View): void {
    // That there is none is news only to a peer that was told about one, or is about to be.
    if (view.size === 0 && this.#view === undefined && this.#told.isEmpty) return;
    this.#view = view;
    this.#wake.wake();
  }

  /** Yields the responses to the peer, until the connection is over. Throws the signal's reason. */
  async *responses(signal: AbortSignal): AsyncGenerator<PeerResponse, void, undefined> {
    this.#parts.owner.look(this);
    for (;;) {
      const notice = this.#notices.shift();
      if (notice !== undefined) {
        yield { error: notice };
        continue;
      }
      if (this.#end !== undefined) {
        const { error } = this.#end;
        if (error !== undefined) yield { error };
        return;
      }
      const view = this.#view;
      this.#view = undefined;
      if (view !== undefined) {
        yield* this.#changes(view);
        continue;
      }
      await this.#wake.woken(signal);
    }
  }

  /** Ends the connection; the peer learns the reason, if it reads. Idempotent. */
  end(error?: string): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#subscription[Symbol.dispose]();
    this.#parts.owner.forget(this);
    this.#wake.wake();
  }

  /** Ends the connection and writes how the peer left, however long that takes. No-op if it is over. */
  leave(how: LeaveKind, error?: string): void {
    if (this.#end !== undefined) return;
    const { directory, clock, logger, signal } = this.#parts;
    const leaving = (): Promise<void> =>
      how === "disconnected"
        ? directory.remove(this.peer.id)
        : directory.markLost(this.peer, how === "gone");
    const before = this.#written;
    this.#written = before
      .then(() => retry(leaving, { clock, signal, isRetryable: () => directory.isHealthy }))
      .catch((failure: unknown) => {
        logger.debug({ peer: this.peer.id, error: errorText(failure) }, "cannot record departure");
      });
    this.end(error);
  }

  #addEarlyReady(others: readonly string[]): void {
    this.#earlyReady ??= new Set();
    for (const id of others) this.#earlyReady.add(id);
  }

  *#changes(view: View): Generator<PeerResponse, void, undefined> {
    for (const peerUpdates of this.#told.changes(view)) {
      this.#parts.owner.countUpdates(peerUpdates.length);
      yield { peerUpdates };
      // A peer that was displaced meanwhile hears no more.
      if (this.#end !== undefined) return;
    }
  }

  /** Writes in the order of the requests, including those of an earlier connection; nothing once it is over. */
  async #write<T>(whenOver: T, write: () => Promise<T>): Promise<T> {
    const result = this.#written.then(() => (this.#end === undefined ? write() : whenOver));
    this.#written = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
