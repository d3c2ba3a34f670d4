import { TokenBucket } from "@slipway/runtime";
import type { DiscoMessage } from "@slipway/wire/disco/message";

import { keyText } from "../identity/key.ts";
import { defaultPathLimits, type PathLimits } from "./limits.ts";
import type { PathAction, PathPeer, PathVia, PeerRoute } from "./path-action.ts";
import { leastDatagramBytes } from "./path-size.ts";
import { PeerPath } from "./peer-path.ts";
import { formatUdpAddress, fromAddressBytes, isUsable, type UdpAddress } from "./udp-address.ts";

/** The way by which a message came; a relay identifies the sender, an address does not. */
export type MessageSource =
  | { readonly kind: "relay"; readonly regionId: number; readonly nodeKey: string }
  | { readonly kind: "udp"; readonly address: UdpAddress };

/** An authenticated message. */
export interface ReceivedMessage {
  readonly message: DiscoMessage;
  /** The digits of the disco key that sealed it. */
  readonly senderKey: string;
  readonly source: MessageSource;
  /** The length of its packet. */
  readonly packetBytes: number;
}

/** An event of the network around the paths; `nodeKey` is the digits of a peer's key. */
export type PathEvent =
  | { readonly type: "peer"; readonly peer: PathPeer }
  | { readonly type: "peer-removed"; readonly nodeKey: string }
  /** Data goes to the peer; `isFull` means that some of it was cut to the length that every path carries. */
  | { readonly type: "sent"; readonly nodeKey: string; readonly isFull: boolean }
  /** A ping was not sent, or not in one piece as far as the system can tell. */
  | { readonly type: "not-whole"; readonly nodeKey: string; readonly transactionId: Uint8Array }
  | ({ readonly type: "message" } & ReceivedMessage)
  /** Our own endpoints were looked up. */
  | { readonly type: "endpoints"; readonly addresses: readonly UdpAddress[] }
  | { readonly type: "network-changed" }
  | { readonly type: "tick" };

export interface PathSelectorOptions {
  /** Our own node key. */
  readonly nodeKey: Uint8Array;
  /** Uses relays only: UDP is neither sent nor received. */
  readonly isDirectDisabled: boolean;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly limits: Partial<PathLimits>;
}

/**
 * The paths to all peers. Pure: it takes events with their time, and returns what to send; `nextWake` is the time of
 * the next `tick`. The caller has authenticated all messages by the key of their sender.
 */
export class PathSelector {
  readonly #options: PathSelectorOptions;
  readonly #limits: PathLimits;
  readonly #peers = new Map<string, PeerPath>();
  /** The peers by their disco keys; a hostile peer may claim the key of another. */
  readonly #byDiscoKey = new Map<string, Set<PeerPath>>();
  /** The peers by the addresses at which they have proved to be. */
  readonly #owners = new Map<string, PeerPath>();
  readonly #allPings: TokenBucket;
  #own = { addresses: [] as readonly UdpAddress[], lookedUpAt: Number.NEGATIVE_INFINITY };
  /** The texts of our own addresses. */
  #ownTexts: ReadonlySet<string> = new Set();
  #actions: PathAction[] = [];
  #nextWake = Number.POSITIVE_INFINITY;

  constructor(options: PathSelectorOptions) {
    this.#options = options;
    this.#limits = { ...defaultPathLimits, ...options.limits };
    this.#allPings = new TokenBucket(this.#limits.allPings);
  }

  /** The time at which a `tick` is due, or earlier; undefined if nothing waits. */
  get nextWake(): number | undefined {
    return this.#nextWake === Number.POSITIVE_INFINITY ? undefined : this.#nextWake;
  }

  /** Handles an event and returns the actions to take. */
  receive(event: PathEvent, now: number): readonly PathAction[] {
    switch (event.type) {
      case "peer":
        this.#setPeer(event.peer, now);
        break;
      case "peer-removed":
        this.#removePeer(this.#peers.get(event.nodeKey));
        break;
      case "sent":
        this.#touch(this.#peers.get(event.nodeKey), now, (peer) => {
          peer.noteSent(event.isFull, now);
        });
        break;
      case "not-whole":
        this.#peers.get(event.nodeKey)?.noteNotWhole(event.transactionId, now);
        break;
      case "message":
        this.#receiveMessage(event, now);
        break;
      case "endpoints":
        this.#own = { addresses: event.addresses, lookedUpAt: now };
        this.#ownTexts = new Set(event.addresses.map(formatUdpAddress));
        this.#touchAll(now, (peer) => peer.noteOwnEndpoints(now));
        break;
      case "network-changed":
        this.#own = { ...this.#own, lookedUpAt: Number.NEGATIVE_INFINITY };
        this.#touchAll(now, (peer) => peer.reset(now));
        break;
      case "tick":
        this.#tick(now);
        break;
    }
    return this.#takeActions();
  }

  /** Begins an explicit ping; undefined if the peer is unknown or too many of its pings wait. */
  ping(nodeKey: string, id: number, now: number): readonly PathAction[] | undefined {
    const peer = this.#peers.get(nodeKey);
    if (peer?.ping(id, now) !== true) return undefined;
    this.#noteWake(peer, now);
    return this.#takeActions();
  }

  /** Ends an explicit ping that no longer has a waiter. */
  endPing(nodeKey: string, id: number): void {
    this.#peers.get(nodeKey)?.endPing(id);
  }

  /** Returns the current route of data to a peer; undefined for an unknown one. */
  route(nodeKey: string, now: number): PeerRoute | undefined {
    return this.#peers.get(nodeKey)?.route(now);
  }

  /** Returns the length of the longest datagram that the current route to a peer carries. */
  datagramBytes(nodeKey: string): number {
    return this.#peers.get(nodeKey)?.datagramBytes ?? leastDatagramBytes;
  }

  /** Returns the digits of the key of the peer that has proved to be at an address. */
  ownerOf(address: UdpAddress): string | undefined {
    return this.#owners.get(formatUdpAddress(address))?.key;
  }

  #setPeer(described: PathPeer, now: number): void {
    const known = this.#peers.get(keyText(described.nodeKey));
    const isSame = known?.discoKey === keyText(described.discoKey);
    if (!isSame) this.#removePeer(known);
    const peer = known !== undefined && isSame ? known : this.#addPeer(described);
    const endpoints = this.#options.isDirectDisabled ? [] : this.#usable(described.endpoints);
    this.#touch(peer, now, () => peer.update({ ...described, endpoints }, now));
  }

  #addPeer(described: PathPeer): PeerPath {
    const peer: PeerPath = new PeerPath(described, this.#limits, {
      ...this.#options,
      ownEndpoints: () => this.#own,
      takePing: (now) => this.#allPings.tryTake(1, now),
      emit: (action) => this.#actions.push(action),
      onForget: (key) => {
        if (this.#owners.get(key) === peer) this.#owners.delete(key);
      },
    });
    this.#peers.set(peer.key, peer);
    const sharers = this.#byDiscoKey.get(peer.discoKey) ?? new Set();
    this.#byDiscoKey.set(peer.discoKey, sharers.add(peer));
    return peer;
  }

  #removePeer(peer: PeerPath | undefined): void {
    if (peer === undefined) return;
    peer.close();
    this.#peers.delete(peer.key);
    const sharers = this.#byDiscoKey.get(peer.discoKey);
    sharers?.delete(peer);
    if (sharers?.size === 0) this.#byDiscoKey.delete(peer.discoKey);
  }

  #receiveMessage(received: ReceivedMessage, now: number): void {
    const { message, source, packetBytes } = received;
    if (source.kind === "udp" && !this.#isHeard(source.address)) return;
    switch (message.type) {
      case "ping":
        this.#touch(this.#senderOf(received, message.nodeKey), now, (peer) => {
          const isNew = peer.receivePing(message.transactionId, viaOf(source), packetBytes, now);
          if (isNew && source.kind === "udp") this.#claim(source.address, peer);
        });
        return;
      case "pong":
        for (const peer of this.#sharersOf(received)) {
          if (!peer.receivePong(message.transactionId, viaOf(source), now)) continue;
          this.#noteWake(peer, now);
          if (source.kind === "udp") this.#owners.set(formatUdpAddress(source.address), peer);
          return;
        }
        return;
      case "call-me-maybe": {
        // Only the relay identifies the caller (docs/protocol/tailnet.md §6.1).
        if (source.kind === "udp" || this.#options.isDirectDisabled) return;
        const peer = this.#senderOf(received, undefined);
        if (peer?.takeCall(now) !== true) return;
        const called = message.endpoints.map(({ address, port }) =>
          fromAddressBytes(address, port),
        );
        const addresses = this.#usable(called.filter((address) => address !== undefined));
        this.#touch(peer, now, (sender) => sender.receiveCall(addresses, now));
      }
    }
  }

  /** Returns the peer that sent a message, if there is only one possibility. */
  #senderOf(received: ReceivedMessage, nodeKey: Uint8Array | undefined): PeerPath | undefined {
    const sharers = this.#sharersOf(received);
    const named = nodeKey === undefined ? undefined : keyText(nodeKey);
    const [first, ...others] = sharers.filter((peer) => named === undefined || peer.key === named);
    return others.length === 0 ? first : undefined;
  }

  /** Returns the peers with the disco key of a message; over the relay only the sender of the packet. */
  #sharersOf({ senderKey, source }: ReceivedMessage): readonly PeerPath[] {
    const sharers = [...(this.#byDiscoKey.get(senderKey) ?? [])];
    return source.kind === "udp" ? sharers : sharers.filter((peer) => peer.key === source.nodeKey);
  }

  /** Notes that a ping came from an address, without displacing a peer that answers there. */
  #claim(address: UdpAddress, peer: PeerPath): void {
    const key = formatUdpAddress(address);
    const owner = this.#owners.get(key);
    if (owner === undefined || !owner.hasAnsweredFrom(key)) this.#owners.set(key, peer);
  }

  #isHeard({ address }: UdpAddress): boolean {
    return !this.#options.isDirectDisabled && isUsable(address);
  }

  /** Removes our own addresses and those at which no peer can be. */
  #usable(addresses: readonly UdpAddress[]): readonly UdpAddress[] {
    return addresses.filter(
      (one) => isUsable(one.address) && !this.#ownTexts.has(formatUdpAddress(one)),
    );
  }

  #tick(now: number): void {
    if (now < this.#nextWake) return;
    this.#nextWake = Number.POSITIVE_INFINITY;
    this.#touchAll(now, (peer) => {
      if ((peer.nextWake(now) ?? Number.POSITIVE_INFINITY) <= now) peer.tick(now);
    });
  }

  #touchAll(now: number, change: (peer: PeerPath) => void): void {
    for (const peer of this.#peers.values()) this.#touch(peer, now, change);
  }

  #touch(peer: PeerPath | undefined, now: number, change: (peer: PeerPath) => void): void {
    if (peer === undefined) return;
    change(peer);
    this.#noteWake(peer, now);
  }

  #noteWake(peer: PeerPath, now: number): void {
    this.#nextWake = Math.min(this.#nextWake, peer.nextWake(now) ?? Number.POSITIVE_INFINITY);
  }

  #takeActions(): readonly PathAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

function viaOf(source: MessageSource): PathVia {
  return source.kind === "udp" ? source : { kind: "relay", regionId: source.regionId };
}
