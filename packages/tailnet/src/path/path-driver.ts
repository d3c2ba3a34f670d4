import { abortable, Scope, Wake, type Clock } from "@slipway/runtime";

import type { TailnetCrypto } from "../crypto/crypto.ts";
import { keyText } from "../identity/key.ts";
import type { DatagramSocket } from "./datagram-socket.ts";
import { DiscoSealer, type DiscoKeys, type OpenedMessage } from "./disco-sealer.ts";
import { EndpointFinder } from "./endpoint-finder.ts";
import type { PathLimits } from "./limits.ts";
import type { PathAction, PathPeer, PeerRoute, PingAnswer } from "./path-action.ts";
import { PathSelector, type MessageSource } from "./path-selector.ts";
import { leastDatagramBytes } from "./path-size.ts";
import { PathError, PendingPings } from "./pending-pings.ts";
import { ReceivedTurns, type ReceiveTurn } from "./received-turns.ts";
import type { UdpReport } from "./stun-client.ts";
import { resolveStunServers, type StunServer } from "./stun-servers.ts";
import { formatUdpAddress, parseUdpAddress, type UdpAddress } from "./udp-address.ts";

/**
 * Receives the peers' datagrams; `peerKey` is the key object given to `setPeer`. A relay has proved the sender
 * (`isProven`); an address on UDP proves nothing, as anyone can forge it.
 */
export type DeliverDatagrams = (
  datagrams: readonly Uint8Array[],
  peerKey: Uint8Array,
  isProven: boolean,
) => void;

export interface PathDriverOptions {
  /** Our own public node key. */
  readonly nodeKey: Uint8Array;
  readonly discoKeys: DiscoKeys;
  readonly crypto: Pick<TailnetCrypto, "boxKey" | "sealBox" | "openBox" | "randomBytes">;
  readonly clock: Clock;
  /** Sends datagrams to a peer through the relay of a region. */
  readonly relaySend: (
    regionId: number,
    peerKey: Uint8Array,
    datagrams: readonly Uint8Array[],
  ) => void;
  /** Receives the datagrams of peers that are not about paths. */
  readonly deliver: DeliverDatagrams;
  /** The socket for direct paths; its opener closes it after the driver (default: relays only). */
  readonly socket?: DatagramSocket;
  /** Receives our own endpoints to publish, whenever they change. */
  readonly onEndpoints?: (endpoints: readonly string[]) => void;
  /** Called when this machine's addresses have changed: its relays may be lost. */
  readonly onNetworkChanged?: () => void;
  readonly limits?: Partial<PathLimits>;
  /** The time budget for received data in each turn of the event loop (default: unlimited). */
  readonly receiveTurn?: ReceiveTurn | undefined;
}

/** A peer as its node describes it. Endpoints that cannot be parsed are left out. */
export interface PeerDescription {
  readonly nodeKey: Uint8Array;
  readonly discoKey: Uint8Array;
  readonly homeRegionId: number;
  readonly endpoints: readonly string[];
}

/** The sender of datagrams from an address that no peer has. */
const unknownSender = "";

/**
 * Chooses between relay and direct path for each peer, and carries datagrams over them. It gives `PathSelector` a
 * socket, the relays, the time and the cryptography. Its opener closes it.
 */
export class PathDriver implements AsyncDisposable {
  readonly #options: PathDriverOptions;
  readonly #clock: Clock;
  readonly #sealer: DiscoSealer;
  readonly #selector: PathSelector;
  readonly #finder: EndpointFinder | undefined;
  readonly #peers = new Map<string, PathPeer>();
  /** The digits of the keys of data's recipients: the tunnel passes the same key object for each peer. */
  readonly #keyTexts = new WeakMap<Uint8Array, string>();
  readonly #pings = new PendingPings();
  readonly #received: ReceivedTurns;
  readonly #scope = new Scope();
  readonly #wake = new Wake();
  #isClosed = false;

  constructor(options: PathDriverOptions) {
    const { clock, crypto, discoKeys, nodeKey, socket } = options;
    const randomBytes = (count: number): Uint8Array => crypto.randomBytes(count);
    this.#options = options;
    this.#clock = clock;
    this.#sealer = new DiscoSealer(crypto, discoKeys);
    this.#received = new ReceivedTurns(options.receiveTurn);
    this.#selector = new PathSelector({
      nodeKey,
      isDirectDisabled: socket === undefined,
      randomBytes,
      limits: options.limits ?? {},
    });
    this.#finder = socket && this.#createFinder(socket, randomBytes);
    socket?.onDatagrams((datagrams, source) =>
      this.#received.receive(this.#selector.ownerOf(source) ?? unknownSender, datagrams, (some) =>
        this.#receiveUdp(some, source),
      ),
    );
    this.#scope.run((signal) => this.#run(signal));
  }

  /** Rejects if the driver itself has failed, after which it does nothing; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /** The findings of the last lookup of our endpoints; undefined without a socket. */
  get udpReport(): UdpReport | undefined {
    return this.#finder?.report;
  }

  /** Adds a peer, or updates its description. A new disco key resets its paths. */
  setPeer(description: PeerDescription): void {
    const key = keyText(description.nodeKey);
    const known = this.#peers.get(key);
    const isReset = known !== undefined && !isSameKey(known.discoKey, description.discoKey);
    const endpoints = description.endpoints
      .map(parseUdpAddress)
      .filter((address) => address !== undefined);
    const peer = { ...description, nodeKey: known?.nodeKey ?? description.nodeKey, endpoints };
    this.#sealer.add(peer.discoKey);
    if (known !== undefined) this.#sealer.remove(known.discoKey);
    if (isReset) this.#pings.rejectOf(key);
    this.#peers.set(key, peer);
    this.#act(this.#selector.receive({ type: "peer", peer }, this.#now()));
  }

  removePeer(peerKey: Uint8Array): void {
    const key = keyText(peerKey);
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    this.#pings.rejectOf(key);
    this.#act(this.#selector.receive({ type: "peer-removed", nodeKey: key }, this.#now()));
    this.#sealer.remove(peer.discoKey);
    this.#peers.delete(key);
  }

  /** Sends datagrams to a peer on its current paths; those to an unknown peer are dropped. Keys must not change. */
  sendDatagrams(peerKey: Uint8Array, datagrams: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const nodeKey = this.#textOf(peerKey);
    const now = this.#now();
    this.#finder?.noteSent(now);
    const isFull = datagrams.some(({ length }) => length >= leastDatagramBytes);
    this.#act(this.#selector.receive({ type: "sent", nodeKey, isFull }, now));
    const route = this.#selector.route(nodeKey, now);
    if (route === undefined) return;
    if (route.kind === "relay") {
      this.#options.relaySend(route.regionId, peerKey, datagrams);
      return;
    }
    // Some may have been sized for another path, a moment ago.
    const largestBytes = this.#selector.datagramBytes(nodeKey);
    const isLong = ({ length }: Uint8Array): boolean => length > largestBytes;
    const long = datagrams.filter(isLong);
    const fitting = long.length === 0 ? datagrams : datagrams.filter((one) => !isLong(one));
    if (fitting.length > 0) this.#options.socket?.send(fitting, route.address);
    const relayed = route.kind === "both" ? datagrams : long;
    const regionId = this.#peers.get(nodeKey)?.homeRegionId;
    if (relayed.length > 0 && regionId !== undefined) {
      this.#options.relaySend(regionId, peerKey, relayed);
    }
  }

  /** Receives packets that a relay attributes to a peer. Those of unknown peers are dropped. */
  receiveFromRelay(regionId: number, sourceKey: Uint8Array, packets: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const nodeKey = keyText(sourceKey);
    if (!this.#peers.has(nodeKey)) return;
    this.#received.receive(nodeKey, packets, (some) =>
      this.#receiveRelayed(regionId, nodeKey, some),
    );
  }

  /**
   * Pings a peer on all of its paths, repeatedly, and returns the first answer. Throws `PathError` and the signal's
   * reason.
   */
  async ping(peerKey: Uint8Array, signal: AbortSignal): Promise<PingAnswer> {
    signal.throwIfAborted();
    const key = keyText(peerKey);
    if (this.#isClosed) throw new PathError("closed", "the driver of the paths is closed");
    if (!this.#peers.has(key)) throw new PathError("unknown-peer", `no peer with the key ${key}`);
    const { id, answer } = this.#pings.add(key);
    try {
      const actions = this.#selector.ping(key, id, this.#now());
      if (actions === undefined) {
        throw new PathError("too-many-pings", "too many pings of the peer wait for an answer");
      }
      this.#act(actions);
      return await abortable(answer, signal);
    } finally {
      this.#pings.delete(id);
      this.#selector.endPing(key, id);
    }
  }

  /** Returns the current route of data to a peer; undefined for an unknown one. */
  pathOf(peerKey: Uint8Array): PeerRoute | undefined {
    return this.#selector.route(keyText(peerKey), this.#now());
  }

  /** Returns the length of the longest datagram that the paths to a peer carry now. Keys must not change. */
  datagramBytes(peerKey: Uint8Array): number {
    return this.#selector.datagramBytes(this.#textOf(peerKey));
  }

  /** Replaces the servers that tell us our addresses. */
  setStunServers(servers: readonly StunServer[]): void {
    const { socket } = this.#options;
    const finder = this.#finder;
    if (socket === undefined || finder === undefined) return;
    this.#scope.run(async (signal) => {
      const lookup = (hostName: string): Promise<readonly string[]> => socket.lookup(hostName);
      const addresses = await abortable(resolveStunServers(servers, lookup), signal);
      finder.setServers(addresses, this.#now());
      this.#wakeLoop();
    });
  }

  /** Falls back to the relays, and restarts the search for direct paths. */
  networkChanged(): void {
    if (this.#isClosed) return;
    this.#finder?.forget();
    this.#act(this.#selector.receive({ type: "network-changed" }, this.#now()));
    this.#finder?.lookUp(this.#now());
    this.#wakeLoop();
  }

  /** Ends all pings and forgets the peers. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.socket?.onDatagrams(undefined);
    this.#received.clear();
    this.#pings.rejectAll();
    await this.#scope.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Returns the digits of a key, which must not change. */
  #textOf(peerKey: Uint8Array): string {
    const known = this.#keyTexts.get(peerKey);
    if (known !== undefined) return known;
    const text = keyText(peerKey);
    this.#keyTexts.set(peerKey, text);
    return text;
  }

  #createFinder(
    socket: DatagramSocket,
    randomBytes: (count: number) => Uint8Array,
  ): EndpointFinder {
    return new EndpointFinder({
      socket,
      randomBytes,
      onFound: (addresses) =>
        this.#act(this.#selector.receive({ type: "endpoints", addresses }, this.#now())),
      onChanged: (addresses) => this.#options.onEndpoints?.(addresses.map(formatUdpAddress)),
      onNetworkChanged: () => {
        this.#act(this.#selector.receive({ type: "network-changed" }, this.#now()));
        this.#options.onNetworkChanged?.();
      },
    });
  }

  #receiveRelayed(regionId: number, nodeKey: string, packets: readonly Uint8Array[]): void {
    const peer = this.#peers.get(nodeKey);
    if (peer === undefined) return;
    const others: Uint8Array[] = [];
    for (const packet of packets) {
      const opened = this.#sealer.open(packet);
      if (opened === "other") others.push(packet);
      else this.#receiveMessage(opened, { kind: "relay", regionId, nodeKey }, packet.length);
    }
    if (others.length > 0) this.#options.deliver(others, peer.nodeKey, true);
  }

  #receiveUdp(datagrams: readonly Uint8Array[], source: UdpAddress): void {
    const now = this.#now();
    const others: Uint8Array[] = [];
    for (const datagram of datagrams) {
      if (this.#finder?.receive(datagram, source, now) === true) continue;
      const opened = this.#sealer.open(datagram);
      if (opened === "other") others.push(datagram);
      else this.#receiveMessage(opened, { kind: "udp", address: source }, datagram.length);
    }
    const owner = others.length === 0 ? undefined : this.#selector.ownerOf(source);
    const peer = owner === undefined ? undefined : this.#peers.get(owner);
    if (peer !== undefined) this.#options.deliver(others, peer.nodeKey, false);
  }

  #receiveMessage(
    opened: OpenedMessage | undefined,
    source: MessageSource,
    packetBytes: number,
  ): void {
    if (opened === undefined) return;
    const event = { type: "message", ...opened, source, packetBytes } as const;
    this.#act(this.#selector.receive(event, this.#now()));
  }

  #act(actions: readonly PathAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case "send":
          this.#send(action);
          break;
        case "look-up-endpoints":
          this.#finder?.lookUp(this.#now());
          break;
        case "ping-answered":
          this.#pings.resolve(action.id, action.answer);
          break;
      }
    }
    this.#wakeLoop();
  }

  #send(action: PathAction & { readonly type: "send" }): void {
    const { peer, via, message, packetBytes, isWhole } = action;
    const packet = this.#sealer.seal(peer.discoKey, message, packetBytes);
    if (packet === undefined) return;
    if (isWhole && via.kind === "udp" && message.type === "ping") {
      if (this.#options.socket?.sendWhole?.(packet, via.address) === true) return;
      const nodeKey = keyText(peer.nodeKey);
      const { transactionId } = message;
      const event = { type: "not-whole", nodeKey, transactionId } as const;
      this.#act(this.#selector.receive(event, this.#now()));
    } else if (via.kind === "udp") this.#options.socket?.send([packet], via.address);
    else this.#options.relaySend(via.regionId, peer.nodeKey, [packet]);
  }

  async #run(signal: AbortSignal): Promise<void> {
    // Callers must have the driver before they receive the findings of the lookup.
    await Promise.resolve();
    this.#finder?.lookUp(this.#now());
    while (!signal.aborted) {
      const now = this.#now();
      const wake = this.#nextWake();
      if (wake <= now) {
        this.#finder?.tick(now);
        this.#act(this.#selector.receive({ type: "tick" }, now));
        continue;
      }
      await this.#wake.waitUntil(wake, now, this.#clock, signal);
    }
  }

  #nextWake(): number {
    const never = Number.POSITIVE_INFINITY;
    return Math.min(this.#selector.nextWake ?? never, this.#finder?.nextWake ?? never);
  }

  /** Wakes the loop if something is due before its next wake-up. */
  #wakeLoop(): void {
    this.#wake.wakeBefore(this.#nextWake());
  }

  #now(): number {
    return this.#clock.monotonic();
  }
}

function isSameKey(one: Uint8Array, other: Uint8Array): boolean {
  return keyText(one) === keyText(other);
}
