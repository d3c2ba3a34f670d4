import { Scope, Wake, type Clock } from "@slipway/runtime";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { ipv6AddressBytes } from "@slipway/wire/ip/ipv6";
import { createLocalIdentity, createRemoteIdentity } from "@slipway/wire/wireguard/identity";
import type { LocalIdentity } from "@slipway/wire/wireguard/identity";
import { IndexTable } from "@slipway/wire/wireguard/index-table";
import { rekeyTimeoutMs } from "@slipway/wire/wireguard/limits";
import {
  transportBytes,
  transportHeaderBytes,
  wireguardMessageKind,
} from "@slipway/wire/wireguard/message";
import type { TransportSession } from "@slipway/wire/wireguard/transport-session";
import { WireguardPeer } from "@slipway/wire/wireguard/wireguard-peer";
import type { IndexEntry } from "@slipway/wire/wireguard/wireguard-peer";

import { WakeQueue } from "../timing/wake-queue.ts";
import { AddressRoutes } from "./address-routes.ts";
import { DatagramPool } from "./datagram-pool.ts";
import { HandshakeReceiver } from "./handshake-receiver.ts";
import { TunnelError } from "./options.ts";
import type { PeerSettings, TunnelOptions } from "./options.ts";
import { destinationOffset, packetEnd } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import { TunnelPeer } from "./tunnel-peer.ts";

const keyBytes = 32;
/** The bytes of datagrams to one peer that may wait for the end of the turn; beyond it they go out earlier. */
const maxOutgoingBytes = 1280 * 1024;

/**
 * A WireGuard device for many peers: encrypts IPv6 packets to the peer that has their destination, and decrypts those
 * that peers send. It knows nothing of paths: `transmit` chooses one. Its opener closes it.
 */
export class Tunnel<Source = unknown> implements AsyncDisposable {
  readonly #options: TunnelOptions<Source>;
  readonly #clock: Clock;
  readonly #local: LocalIdentity;
  readonly #indices: IndexTable<IndexEntry>;
  readonly #unixOffsetMs: number;
  readonly #peers = new Map<string, TunnelPeer>();
  readonly #byProtocol = new Map<WireguardPeer, TunnelPeer>();
  readonly #routes = new AddressRoutes<WireguardPeer>();
  readonly #receiver: Receiver;
  readonly #handshakes: HandshakeReceiver<Source>;
  readonly #pool = new DatagramPool();
  readonly #wakes = new WakeQueue<TunnelPeer>();
  readonly #scope = new Scope();
  readonly #wake = new Wake();
  #dirty: TunnelPeer[] = [];
  /** The genuine senders of the batch that is being received. */
  #authenticated = new Set<TunnelPeer>();
  #isClosed = false;

  constructor(options: TunnelOptions<Source>) {
    const { clock, crypto, privateKey } = options;
    this.#options = options;
    this.#clock = clock;
    this.#local = createLocalIdentity(crypto, privateKey);
    this.#indices = new IndexTable((length) => crypto.randomBytes(length));
    this.#unixOffsetMs = clock.now() - clock.monotonic();
    this.#receiver = new Receiver({
      indices: this.#indices,
      routes: this.#routes,
      received: (protocol, session, hasData) => this.#received(protocol, session, hasData),
    });
    this.#handshakes = new HandshakeReceiver({
      options,
      local: this.#local,
      indices: this.#indices,
      find: (publicKey) => this.#peers.get(encodeHex(publicKey))?.protocol,
      authenticated: (protocol) => {
        const peer = this.#byProtocol.get(protocol);
        if (peer !== undefined) this.#authenticate(peer);
      },
    });
    this.#scope.run((signal) => this.#run(signal));
  }

  /** Our public key. */
  get publicKey(): Uint8Array {
    return this.#local.keys.publicKey;
  }

  /** The number of handshakes and sessions held: a few for each peer. */
  get sessions(): number {
    return this.#indices.size;
  }

  /** Rejects if the tunnel itself has failed, after which it does nothing; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /**
   * Adds a peer, or changes its permissions. An address that another peer has moves to this one. Throws `TunnelError`
   * for an impossible key or address.
   */
  setPeer({ publicKey, allowedAddresses, persistentKeepaliveMs }: PeerSettings): void {
    for (const { length } of allowedAddresses) {
      if (length === ipv6AddressBytes) continue;
      throw new TunnelError("malformed-address", `address of ${String(length)} bytes, wanted 16`);
    }
    const peer = this.#peers.get(encodeHex(publicKey)) ?? this.#addPeer(publicKey);
    this.#routes.assign(peer.protocol, allowedAddresses);
    peer.protocol.setPersistentKeepAlive(persistentKeepaliveMs, this.#clock.monotonic());
    this.#touch(peer);
  }

  /** Forgets a peer and its sessions. */
  removePeer(publicKey: Uint8Array): void {
    const key = encodeHex(publicKey);
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    this.#peers.delete(key);
    this.#byProtocol.delete(peer.protocol);
    this.#routes.remove(peer.protocol);
    this.#wakes.remove(peer);
    peer.protocol.close();
    peer.takeDatagrams();
  }

  /** Returns the public keys of all peers. */
  peers(): readonly Uint8Array[] {
    return [...this.#peers.values()].map(({ publicKey }) => publicKey);
  }

  /** Returns the public key of the peer that has an IPv6 address. */
  ownerOf(address: Uint8Array): Uint8Array | undefined {
    const protocol = this.#routes.find(address, 0);
    return protocol && this.#byProtocol.get(protocol)?.publicKey;
  }

  /** Begins a handshake with a peer, unless one began within the last five seconds. */
  initiate(publicKey: Uint8Array): void {
    const peer = this.#peers.get(encodeHex(publicKey));
    if (peer === undefined) return;
    peer.protocol.initiate(this.#clock.monotonic());
    this.#touch(peer);
  }

  /** Returns the monotonic time of the last handshake that both sides have confirmed. */
  lastHandshakeAt(publicKey: Uint8Array): number | undefined {
    return this.#peers.get(encodeHex(publicKey))?.protocol.lastHandshakeAt;
  }

  /** Sends IPv6 packets; those to unknown addresses are dropped. The views may be reused immediately. */
  send(packets: readonly Uint8Array[]): void {
    const now = this.#clock.monotonic();
    let protocol: WireguardPeer | undefined;
    let peer: TunnelPeer | undefined;
    let session: TransportSession | undefined;
    for (const packet of packets) {
      if (packetEnd(packet, 0, packet.length) === undefined) continue;
      const owner = this.#routes.find(packet, destinationOffset);
      if (owner === undefined) continue;
      if (owner !== protocol) {
        protocol = owner;
        peer = this.#byProtocol.get(owner);
        session = owner.sessionToSend(now);
        if (session !== undefined) owner.sent(now);
        if (peer !== undefined) this.#touch(peer);
      }
      if (session === undefined) owner.stage(Uint8Array.from(packet), now);
      else if (peer !== undefined) this.#seal(peer, session, packet);
    }
  }

  /**
   * Receives datagrams from `source`, and decrypts them in place. `publicKey` is the sender's if the path knows it;
   * `isProven` tells whether the path vouches for it, as a relay does (default: true).
   */
  receive(
    datagrams: readonly Uint8Array[],
    source: Source,
    publicKey: Uint8Array | undefined,
    { isProven = true }: { readonly isProven?: boolean } = {},
  ): void {
    if (this.#isClosed) return;
    const now = this.#clock.monotonic();
    this.#receiver.start(now);
    for (const datagram of datagrams) {
      const kind = wireguardMessageKind(datagram);
      if (kind === "transport") {
        this.#receiver.open(datagram);
        continue;
      }
      this.#receiver.endRow();
      this.#handshakes.receive(kind, datagram, { source, publicKey }, now);
    }
    const packets = this.#receiver.take();
    if (this.#receiver.hasUnknown && publicKey !== undefined && isProven) {
      this.#renew(publicKey, now);
    }
    this.#reportSenders(source);
    if (packets.length > 0) this.#options.deliver(packets);
  }

  /** Forgets all peers. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const publicKey of this.peers()) this.removePeer(publicKey);
    await this.#scope.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #addPeer(publicKey: Uint8Array): TunnelPeer {
    const remote =
      publicKey.length === keyBytes
        ? createRemoteIdentity(this.#local, Uint8Array.from(publicKey))
        : undefined;
    if (remote === undefined) {
      throw new TunnelError("unusable-key", "unusable public key, wanted one of X25519");
    }
    const protocol = new WireguardPeer(
      { local: this.#local, indices: this.#indices, unixOffsetMs: this.#unixOffsetMs },
      remote,
    );
    const peer = new TunnelPeer(remote.publicKey, protocol);
    this.#peers.set(encodeHex(publicKey), peer);
    this.#byProtocol.set(protocol, peer);
    return peer;
  }

  #seal(peer: TunnelPeer, session: TransportSession, packet: Uint8Array): void {
    const datagram = this.#pool.take(transportBytes(packet.length));
    datagram.set(packet, transportHeaderBytes);
    session.seal(datagram);
    peer.add(datagram);
    if (peer.outgoingBytes >= maxOutgoingBytes) this.#transmit(peer);
  }

  /**
   * Begins a handshake with a peer that uses a session which this side has lost, as the peer would otherwise notice
   * only after fifteen seconds of silence. Stragglers of the session before a handshake mean nothing, nor does a
   * message that anyone may have sent.
   */
  #renew(publicKey: Uint8Array, now: number): void {
    const at = this.lastHandshakeAt(publicKey) ?? Number.NEGATIVE_INFINITY;
    if (now - at >= rekeyTimeoutMs) this.initiate(publicKey);
  }

  #received(protocol: WireguardPeer, session: TransportSession, hasData: boolean): void {
    const peer = this.#byProtocol.get(protocol);
    if (peer === undefined) return;
    protocol.received(session, hasData, this.#clock.monotonic());
    this.#authenticate(peer);
  }

  #authenticate(peer: TunnelPeer): void {
    this.#authenticated.add(peer);
    this.#touch(peer);
    this.#schedule(peer);
  }

  #reportSenders(source: Source): void {
    if (this.#authenticated.size === 0) return;
    const senders = this.#authenticated;
    this.#authenticated = new Set();
    for (const { publicKey } of senders) this.#options.onAuthenticated?.(publicKey, source);
  }

  /** Schedules a peer's outgoing packets for the end of the turn. */
  #touch(peer: TunnelPeer): void {
    if (peer.isDirty) return;
    peer.isDirty = true;
    this.#dirty.push(peer);
    if (this.#dirty.length === 1) queueMicrotask(() => this.#flushSafely());
  }

  #flushSafely(): void {
    try {
      this.#flush();
    } catch (error) {
      // An error in `transmit` is the tunnel's failure: there is no one else to handle it.
      this.#scope.run(async () => {
        throw error;
      });
    }
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const peer of dirty) {
      peer.isDirty = false;
      if (!this.#byProtocol.has(peer.protocol)) continue;
      this.#transmit(peer);
      this.#schedule(peer);
      this.#reportHandshake(peer);
    }
  }

  #transmit(peer: TunnelPeer): void {
    const datagrams = peer.takeDatagrams();
    if (datagrams.length > 0) this.#options.transmit(peer.publicKey, datagrams);
  }

  #reportHandshake(peer: TunnelPeer): void {
    const at = peer.protocol.lastHandshakeAt;
    if (at === undefined || at === peer.reportedHandshakeAt) return;
    peer.reportedHandshakeAt = at;
    this.#options.onHandshake?.(peer.publicKey, at);
  }

  #schedule(peer: TunnelPeer): void {
    const { nextWake } = peer.protocol;
    if (nextWake === Number.POSITIVE_INFINITY) return;
    this.#wakes.schedule(peer, nextWake);
    this.#wake.wakeBefore(nextWake);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#clock.monotonic();
      this.#tick(now);
      const wake = this.#wakes.next ?? Number.POSITIVE_INFINITY;
      await this.#wake.waitUntil(wake, now, this.#clock, signal);
    }
  }

  #tick(now: number): void {
    for (let peer = this.#wakes.takeDue(now); peer; peer = this.#wakes.takeDue(now)) {
      peer.protocol.tick(now);
      this.#touch(peer);
      this.#schedule(peer);
    }
  }
}
