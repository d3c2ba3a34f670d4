import { abortable, Scope } from "@slipway/runtime";
import { encodeHex } from "@slipway/wire/bytes/hex";
import type { DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import type { KeyPair } from "@slipway/wire/wireguard/crypto";

import { Coordination } from "../coordination/coordination.ts";
import type { PeerAction } from "../coordination/peer-action.ts";
import type { PeerNode } from "../coordination/peer-node.ts";
import type { PeerRoute, PingAnswer } from "../path/path-action.ts";
import { PathDriver } from "../path/path-driver.ts";
import { leastDatagramBytes, relayDatagramBytes } from "../path/path-size.ts";
import { stunServersOf } from "../path/stun-servers.ts";
import { readDerpMap, rewriteEmbedded } from "../relay/derp-map.ts";
import { derpLatencies, type LatencyReport } from "../relay/region-latency.ts";
import { RelayPool } from "../relay/relay-pool.ts";
import { StackError } from "../stack/errors.ts";
import { NetworkStack } from "../stack/network-stack.ts";
import { packetBytesOf } from "../tunnel/packet.ts";
import { Tunnel } from "../tunnel/tunnel.ts";
import { HomeFinder } from "./home-finder.ts";
import { HomePublisher } from "./home-publisher.ts";
import { medianLatency } from "./median-latency.ts";
import type { NetworkStatus } from "./network-status.ts";
import type { TailnetPeerOptions } from "./options.ts";
import { TsmpLayer } from "./tsmp-layer.ts";

/** The time without packets after which a nearer relay no longer helps (docs/protocol/tailnet.md §2.7). */
const activeMs = 45_000;

/**
 * A peer counts as active for this long after a handshake: the lifetime of a session (docs/protocol/tailnet.md §5.5).
 */
const sessionMs = 180_000;

/** Connections survive this long without a network, for example while a machine moves. */
const userTimeoutMs = 5 * 60_000;

/** The receive window: a UDP socket buffers fewer full packets than TCP's default. */
const maxReceiveBytes = 2 * 1024 * 1024;

/**
 * One peer of the network: the coordinator's updates, relays and direct paths, the tunnel, and TCP/IP over it.
 *
 *   stack ◄─packets─► tunnel ◄─datagrams─► paths ◄─► relays, UDP
 *                       ▲                    ▲
 *                       └─── coordination ───┘
 *
 * Its keys live as long as it does. The opener closes it, and connects its `coordination` to a coordinator.
 */
export class TailnetPeer implements AsyncDisposable {
  readonly coordination: Coordination;
  readonly stack: NetworkStack;
  readonly #options: TailnetPeerOptions;
  readonly #source: Uint8Array;
  readonly #relays: RelayPool;
  readonly #paths: PathDriver;
  readonly #tunnel: Tunnel<undefined>;
  readonly #tsmp: TsmpLayer;
  readonly #home: HomeFinder;
  readonly #homePublisher: HomePublisher;
  readonly #scope = new Scope();
  #latencies: LatencyReport = new Map();
  /** The bytes of the current map, in hexadecimal digits. */
  #mapText = "";
  /** The monotonic time of the latest packet, in either direction. */
  #packetAt = Number.NEGATIVE_INFINITY;

  constructor(options: TailnetPeerOptions) {
    const [source] = options.addresses;
    if (source === undefined) throw new StackError("no-address", "the peer has no address");
    this.#options = options;
    this.#source = source;
    const keys = {
      node: options.crypto.createKeyPair(),
      disco: options.crypto.createKeyPair(),
    };
    this.#relays = this.#openRelays(keys);
    this.#paths = this.#openPaths(keys);
    this.#tunnel = this.#openTunnel(keys);
    this.stack = this.#openStack();
    this.#tsmp = this.#openTsmp();
    this.coordination = this.#openCoordination(keys);
    this.#homePublisher = new HomePublisher({
      clock: options.clock,
      relays: this.#relays,
      publish: (changes) => this.coordination.updateSelf(changes),
      run: (task) => this.#scope.run(task),
    });
    this.#home = this.#openHome();
    this.#scope.run((signal) => this.#home.run(signal));
    for (const part of [this.#relays, this.#paths, this.#tunnel, this.stack, this.coordination]) {
      this.#scope.run((signal) => abortable(part.failed, signal));
    }
  }

  /** Rejects if a part of the peer has failed, after which it does nothing; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  get status(): NetworkStatus {
    return {
      map: this.#relays.map,
      homeRegionId: this.#relays.homeId,
      relays: this.#relays.statuses(),
      latencies: this.#latencies,
      udp: this.#paths.udpReport,
    };
  }

  /**
   * Sets the relays that come with a manifest or a connection's description, before a coordinator sends any. An
   * unchanged map has no effect and is not measured again.
   */
  setDerpMap(message: DERPMap): void {
    const text = encodeHex(encodeMessage(DERPMapSchema, message));
    if (text === this.#mapText) return;
    this.#mapText = text;
    const map = rewriteEmbedded(readDerpMap(message), this.#options.serverUrl);
    this.#relays.setMap(map);
    this.#paths.setStunServers(stunServersOf(message));
    this.#home.setMap(map);
  }

  /** Waits until a peer is known and answers over the tunnel. Rejects with the signal's reason. */
  async reach(id: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#probe(await this.coordination.installed(id, signal), signal);
  }

  /** Pings a known peer on all of its paths. Throws `PathError` and the signal's reason. */
  async ping(id: string, signal: AbortSignal): Promise<PingAnswer> {
    const { nodeKey } = await this.coordination.installed(id, signal);
    return this.#paths.ping(nodeKey, signal);
  }

  /**
   * Pings the peer at an address as `ping` does; undefined if no peer has the address. Throws `PathError` and the
   * signal's reason.
   */
  async pingAddress(address: Uint8Array, signal: AbortSignal): Promise<PingAnswer | undefined> {
    const key = this.#tunnel.ownerOf(address);
    return key === undefined ? undefined : this.#paths.ping(key, signal);
  }

  /**
   * Pings the active peers, and resolves to the median round trip in milliseconds; undefined if none answers. Rejects
   * with the signal's reason.
   */
  medianLatency(signal: AbortSignal): Promise<number | undefined> {
    const { clock } = this.#options;
    const since = clock.monotonic() - sessionMs;
    const isActive = (key: Uint8Array): boolean =>
      (this.#tunnel.lastHandshakeAt(key) ?? Number.NEGATIVE_INFINITY) >= since;
    const ping = async (key: Uint8Array, ended: AbortSignal): Promise<number> =>
      (await this.#paths.ping(key, ended)).latencyMs;
    return medianLatency(this.#tunnel.peers().filter(isActive), { ping, clock, signal });
  }

  /** Returns the current route of data to a peer, and the monotonic time of its latest handshake. */
  routeOf(id: string): {
    readonly route: PeerRoute | undefined;
    readonly handshakeAt: number | undefined;
  } {
    const state = this.coordination.stateOf(id);
    if (state.type !== "installed" && state.type !== "lost") {
      return { route: undefined, handshakeAt: undefined };
    }
    const { nodeKey } = state.node;
    return {
      route: this.#paths.pathOf(nodeKey),
      handshakeAt: this.#tunnel.lastHandshakeAt(nodeKey),
    };
  }

  /** Notifies all parts that the machine's network may have changed. */
  networkChanged(): void {
    this.#paths.networkChanged();
    this.#checkRelays();
  }

  /** Says goodbye and closes everything, starting nearest to the application. Idempotent. */
  async close(): Promise<void> {
    await this.stack.close();
    await this.coordination.close();
    await this.#scope.close();
    await this.#tunnel.close();
    await this.#paths.close();
    await this.#relays.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #openRelays({ node }: PeerKeys): RelayPool {
    const { crypto, clock, logger, dialer, forceWebSocket } = this.#options;
    return new RelayPool({
      identity: node,
      crypto,
      clock,
      logger,
      dialer,
      forceWebSocket,
      onPackets: (regionId, source, packets) =>
        this.#paths.receiveFromRelay(regionId, source, packets),
      onStatus: () => this.#homePublisher.noteStatus(),
    });
  }

  #openPaths({ node, disco }: PeerKeys): PathDriver {
    const { crypto, clock, socket, receiveTurn } = this.#options;
    return new PathDriver({
      nodeKey: node.publicKey,
      discoKeys: disco,
      crypto,
      clock,
      relaySend: (regionId, key, datagrams) => this.#relays.send(regionId, key, datagrams),
      deliver: (datagrams, key, isProven) =>
        this.#tunnel.receive(datagrams, undefined, key, { isProven }),
      onEndpoints: (endpoints) => this.coordination.updateSelf({ endpoints }),
      onNetworkChanged: () => this.#checkRelays(),
      receiveTurn,
      ...(socket === undefined ? {} : { socket }),
    });
  }

  #openTunnel({ node }: PeerKeys): Tunnel<undefined> {
    const { crypto, clock } = this.#options;
    return new Tunnel<undefined>({
      privateKey: node.privateKey,
      crypto,
      clock,
      transmit: (key, datagrams) => this.#paths.sendDatagrams(key, datagrams),
      deliver: (packets) => this.#deliver(packets),
      onHandshake: (key) => this.coordination.noteHandshake(key),
    });
  }

  #openStack(): NetworkStack {
    const { addresses, clock, crypto } = this.#options;
    return new NetworkStack({
      addresses,
      clock,
      randomUint32: () => readUint32(crypto.randomBytes(4)),
      send: (packets) => this.#send(packets),
      tcp: { maxReceiveBytes, userTimeoutMs },
      tcpPackets: {
        largestBytes: packetBytesOf(relayDatagramBytes),
        carriedBytes: (destination) => this.#carriedBytes(destination),
      },
    });
  }

  /** Returns the length of the longest packet that the path to an address carries. */
  #carriedBytes(destination: Uint8Array): number {
    const key = this.#tunnel.ownerOf(destination);
    return packetBytesOf(key === undefined ? leastDatagramBytes : this.#paths.datagramBytes(key));
  }

  #openTsmp(): TsmpLayer {
    const { clock, crypto, random } = this.#options;
    return new TsmpLayer({
      clock,
      random,
      randomBytes: (count) => crypto.randomBytes(count),
      send: (packets) => this.#send(packets),
    });
  }

  #openCoordination({ node, disco }: PeerKeys): Coordination {
    const { role, clock, logger, nodeId, addresses } = this.#options;
    return new Coordination({
      role,
      clock,
      logger,
      self: { nodeId, nodeKey: node.publicKey, discoKey: disco.publicKey, addresses },
      apply: (actions) => {
        for (const action of actions) this.#apply(action);
      },
      probe: (peer, signal) => this.#probe(peer, signal),
      onDerpMap: (map) => this.setDerpMap(map),
    });
  }

  #openHome(): HomeFinder {
    const { clock, random, fetchLatency } = this.#options;
    return new HomeFinder({
      clock,
      random,
      fetchLatency,
      isActive: () => clock.monotonic() - this.#packetAt < activeMs,
      onHome: (homeRegionId, report) => {
        if (report.size > 0) this.#latencies = report;
        this.#relays.setHome(homeRegionId);
        this.coordination.updateSelf({ latencies: derpLatencies(report) });
        this.#homePublisher.publishSoon();
      },
    });
  }

  #apply(action: PeerAction): void {
    const { node } = action;
    if (action.type === "remove" || action.type === "reset") {
      this.#tunnel.removePeer(node.nodeKey);
      this.#paths.removePeer(node.nodeKey);
    }
    if (action.type === "remove") {
      if (action.isGone) this.#endConnections(node);
      return;
    }
    this.#paths.setPeer(node);
    this.#tunnel.setPeer({
      publicKey: node.nodeKey,
      allowedAddresses: node.allowedAddresses,
      persistentKeepaliveMs: action.keepaliveMs,
    });
  }

  /** Ends the connections with a peer, except those of an address that another peer has meanwhile. */
  #endConnections({ allowedAddresses }: PeerNode): void {
    for (const address of allowedAddresses) {
      if (this.#tunnel.ownerOf(address) === undefined) this.stack.endConnections(address);
    }
  }

  /** Resolves to the address at which a peer answered. */
  async #probe({ allowedAddresses }: PeerNode, signal: AbortSignal): Promise<Uint8Array> {
    const [address] = allowedAddresses;
    if (address === undefined) throw new StackError("no-address", "the peer has no address");
    await this.#tsmp.reach(this.#source, address, signal);
    return address;
  }

  #send(packets: readonly Uint8Array[]): void {
    this.#packetAt = this.#options.clock.monotonic();
    this.#options.onPackets?.(packets);
    this.#tunnel.send(packets);
  }

  #deliver(packets: readonly Uint8Array[]): void {
    this.#packetAt = this.#options.clock.monotonic();
    this.#options.onPackets?.(packets);
    this.stack.receive(packets.filter((packet) => !this.#tsmp.receive(packet)));
  }

  #checkRelays(): void {
    this.#relays.check();
    this.#home.measureSoon();
  }
}

interface PeerKeys {
  readonly node: KeyPair;
  readonly disco: KeyPair;
}

function readUint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
