import { MacWriter } from "./cookies.ts";
import { type OpenedInitiation, type PendingHandshake, startHandshake } from "./handshake.ts";
import type { LocalIdentity, RemoteIdentity } from "./identity.ts";
import type { IndexTable } from "./index-table.ts";
import { KeySlots } from "./key-slots.ts";
import { maxStagedBytes, maxStagedPackets, minInitiationGapMs, rekeyTimeoutMs } from "./limits.ts";
import type { CookieReply, HandshakeResponse } from "./message.ts";
import { PeerTimers } from "./peer-timers.ts";
import { isLater, Timestamps } from "./tai64n.ts";
import { TransportSession } from "./transport-session.ts";

/** The meaning of an index: a handshake of a peer without a session, or one of its sessions. */
export interface IndexEntry {
  readonly peer: WireguardPeer;
  readonly session: TransportSession | undefined;
}

export interface PeerNeeds {
  readonly local: LocalIdentity;
  readonly indices: IndexTable<IndexEntry>;
  /** The wall-clock time minus the monotonic time, so that timestamps follow from `now`. */
  readonly unixOffsetMs: number;
}

const nothing = new Uint8Array(0);

/**
 * The protocol with one peer: handshakes in both roles, their sessions and timers, and the packets that wait for a
 * session. Every time is in monotonic milliseconds. Take the output after every call.
 */
export class WireguardPeer {
  readonly remote: RemoteIdentity;
  readonly #needs: PeerNeeds;
  readonly #macs: MacWriter;
  readonly #slots: KeySlots;
  readonly #timers: PeerTimers;
  readonly #timestamps = new Timestamps();
  #pending: PendingHandshake | undefined;
  #initiatedAt = Number.NEGATIVE_INFINITY;
  /** The last answered initiation of the peer. */
  #answered: { readonly timestamp: Uint8Array; readonly at: number } | undefined;
  #lastHandshakeAt: number | undefined;
  #staged: Uint8Array[] = [];
  #stagedBytes = 0;
  #output: Uint8Array[] = [];

  constructor(needs: PeerNeeds, remote: RemoteIdentity) {
    const { crypto } = needs.local;
    this.remote = remote;
    this.#needs = needs;
    this.#macs = new MacWriter(crypto, remote);
    this.#slots = new KeySlots(({ origin }) => needs.indices.remove(origin.localIndex));
    this.#timers = new PeerTimers(() => (crypto.randomBytes(1)[0] ?? 0) / 256);
  }

  /** The earliest time at which `tick` has something to do. */
  get nextWake(): number {
    return this.#timers.nextWake;
  }

  /** The time of the last handshake that both sides have confirmed. */
  get lastHandshakeAt(): number | undefined {
    return this.#lastHandshakeAt;
  }

  /** The packets that wait for a session. */
  get stagedPackets(): number {
    return this.#staged.length;
  }

  /** Keeps the path open by a message in each period; the first is due immediately. */
  setPersistentKeepAlive(periodMs: number | undefined, now: number): void {
    this.#timers.setPersistentKeepAlive(periodMs, now);
  }

  /** Returns the session for a packet, renewing it in time; undefined if there is none and the packet must wait. */
  sessionToSend(now: number): TransportSession | undefined {
    const { current } = this.#slots;
    if (current?.isUsable(now) !== true) return undefined;
    if (current.isOld(now)) this.initiate(now);
    return current;
  }

  /** Queues a packet until there is a session, and requests one. The oldest make room. */
  stage(packet: Uint8Array, now: number): void {
    this.#staged.push(packet);
    this.#stagedBytes += packet.length;
    while (this.#staged.length > maxStagedPackets || this.#stagedBytes > maxStagedBytes) {
      this.#stagedBytes -= this.#staged.shift()?.length ?? 0;
    }
    this.initiate(now);
  }

  /** Records that packets were sent in the session that `sessionToSend` returned. */
  sent(now: number): void {
    this.#timers.sent(true, now);
  }

  /** Records that a genuine message arrived in a session. */
  received(session: TransportSession, hasData: boolean, now: number): void {
    this.#timers.received(hasData, now);
    if (this.#slots.confirm(session)) this.#agreed(now);
    if (session.isOldToReceive(now)) this.initiate(now);
  }

  /** Begins a handshake, unless one began within the last five seconds. */
  initiate(now: number): void {
    if (now - this.#initiatedAt >= rekeyTimeoutMs) this.#startHandshake(now);
  }

  /** Answers an initiation of this peer; returns false for a forged, repeated or hasty one. */
  receiveInitiation(initiation: OpenedInitiation, now: number): boolean {
    const timestamp = initiation.readTimestamp(this.remote);
    if (timestamp === undefined) return false;
    const last = this.#answered;
    if (last !== undefined) {
      if (!isLater(timestamp, last.timestamp) || now - last.at < minInitiationGapMs) return false;
    }
    const { local, indices } = this.#needs;
    const localIndex = indices.add({ peer: this, session: undefined });
    const responded = initiation.respond(localIndex, local.crypto.createKeyPair());
    if (responded === undefined) {
      indices.remove(localIndex);
      return false;
    }
    this.#answered = { timestamp, at: now };
    const origin = { isInitiator: false, localIndex, remoteIndex: initiation.sender };
    const session = this.#createSession(responded.keys, origin, now);
    this.#slots.addResponded(session);
    this.#timers.received(false, now);
    this.#timers.sent(false, now);
    this.#outputHandshake(responded.message, now);
    return true;
  }

  /** Accepts the response to our initiation; returns false for any other. */
  receiveResponse(response: HandshakeResponse, now: number): boolean {
    const pending = this.#pending;
    if (pending === undefined || pending.sender !== response.receiver) return false;
    const keys = pending.finish(response);
    if (keys === undefined) return false;
    this.#pending = undefined;
    const origin = {
      isInitiator: true,
      localIndex: pending.sender,
      remoteIndex: response.sender,
    };
    this.#slots.addInitiated(this.#createSession(keys, origin, now));
    this.#timers.received(false, now);
    // The first message in the session allows the peer to use it.
    if (this.#staged.length === 0) this.#staged.push(nothing);
    this.#agreed(now);
    return true;
  }

  /** Accepts a cookie for the next handshake message; returns false for a forged one. */
  receiveCookie(reply: CookieReply, now: number): boolean {
    return this.#macs.receive(reply, now);
  }

  /** Performs what is due. */
  tick(now: number): void {
    for (;;) {
      const action = this.#timers.takeDue(now);
      switch (action) {
        case undefined:
          return;
        case "wipe":
          this.#forgetKeys();
          break;
        case "give-up":
          this.#unstage();
          this.#dropPending();
          break;
        case "retry":
          this.#startHandshake(now);
          break;
        case "handshake":
          this.initiate(now);
          break;
        case "keep-alive":
          this.#keepAlive(now);
          break;
      }
    }
  }

  /** Removes and returns the datagrams to send. */
  takeOutput(): readonly Uint8Array[] {
    const output = this.#output;
    if (output.length > 0) this.#output = [];
    return output;
  }

  /** Forgets everything. */
  close(): void {
    this.#unstage();
    this.#output = [];
    this.#forgetKeys();
  }

  #startHandshake(now: number): void {
    const { local, indices, unixOffsetMs } = this.#needs;
    this.#dropPending();
    const sender = indices.add({ peer: this, session: undefined });
    const started = startHandshake(local, this.remote, {
      sender,
      ephemeral: local.crypto.createKeyPair(),
      timestamp: this.#timestamps.next(now + unixOffsetMs),
    });
    this.#initiatedAt = now;
    this.#timers.initiated(now);
    if (started === undefined) {
      indices.remove(sender);
      return;
    }
    this.#pending = started.pending;
    this.#outputHandshake(started.message, now);
  }

  #createSession(
    keys: { readonly send: Uint8Array; readonly receive: Uint8Array },
    origin: {
      readonly isInitiator: boolean;
      readonly localIndex: number;
      readonly remoteIndex: number;
    },
    now: number,
  ): TransportSession {
    const { local, indices } = this.#needs;
    const session = new TransportSession(local.crypto, keys, { ...origin, createdAt: now });
    indices.set(origin.localIndex, { peer: this, session });
    this.#timers.derived(now);
    return session;
  }

  /** Continues with a session that both sides know. */
  #agreed(now: number): void {
    this.#lastHandshakeAt = now;
    this.#timers.agreed();
    this.#dropPending();
    const session = this.#slots.current;
    if (session === undefined || this.#staged.length === 0) return;
    const staged = this.#unstage();
    for (const packet of staged) this.#output.push(session.sealPacket(packet));
    this.#timers.sent(
      staged.some(({ length }) => length > 0),
      now,
    );
  }

  /** Removes and returns the waiting packets. */
  #unstage(): readonly Uint8Array[] {
    const staged = this.#staged;
    this.#staged = [];
    this.#stagedBytes = 0;
    return staged;
  }

  #keepAlive(now: number): void {
    const session = this.sessionToSend(now);
    if (session === undefined) {
      this.initiate(now);
      return;
    }
    this.#output.push(session.sealPacket(nothing));
    this.#timers.sent(false, now);
  }

  #outputHandshake(message: Uint8Array, now: number): void {
    this.#macs.write(message, now);
    this.#output.push(message);
  }

  #dropPending(): void {
    if (this.#pending === undefined) return;
    this.#needs.indices.remove(this.#pending.sender);
    this.#pending = undefined;
  }

  #forgetKeys(): void {
    this.#slots.clear();
    this.#dropPending();
  }
}
