import { type Clock, type Logger, Scope, Wake } from "@slipway/runtime";

import {
  type DerpMap,
  type DerpRegion,
  emptyDerpMap,
  isSameRegion,
  relayNodes,
} from "./derp-map.ts";
import { idleTimeoutMs } from "./limits.ts";
import type { LoginCrypto, RelayIdentity } from "./login-crypto.ts";
import { RelayClient, type RelayStatus } from "./relay-client.ts";
import type { RelayDialer } from "./relay-stream.ts";
import { ReverseRoutes } from "./reverse-routes.ts";

export interface RelayPoolOptions {
  readonly identity: RelayIdentity;
  readonly crypto: LoginCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: RelayDialer;
  /** Uses WebSockets from the first attempt (default: false). */
  readonly forceWebSocket?: boolean;
  /** Takes ownership of the packets of one peer; the key of the source is only valid during the call. */
  readonly onPackets: (
    regionId: number,
    source: Uint8Array,
    packets: readonly Uint8Array[],
  ) => void;
  /** Called when a relay reports that it does not have a peer, or has it no longer. */
  readonly onPeerGone?: (regionId: number, peerKey: Uint8Array, reason: number) => void;
  /** Called when a region's status has changed, except for its counts. */
  readonly onStatus?: (status: RelayStatus) => void;
}

interface OpenRegion {
  readonly client: RelayClient;
  usedAtMs: number;
}

/**
 * Connections to the relays of a DERP map: always to the home region, to others on demand until they are idle. Its
 * opener closes the pool.
 */
export class RelayPool implements AsyncDisposable {
  readonly #options: RelayPoolOptions;
  readonly #open = new Map<number, OpenRegion>();
  readonly #routes = new ReverseRoutes();
  readonly #scope = new Scope();
  readonly #wake = new Wake();
  #map: DerpMap = emptyDerpMap;
  #homeId: number | undefined;
  #unroutable = 0;
  #isClosed = false;

  constructor(options: RelayPoolOptions) {
    this.#options = options;
    this.#scope.run((signal) => this.#closeIdle(signal));
  }

  get map(): DerpMap {
    return this.#map;
  }

  /** The region where peers find this side; undefined before the first choice, and if the map no longer has it. */
  get homeId(): number | undefined {
    return this.#homeId;
  }

  /** The number of packets for regions that have no relay. */
  get unroutablePackets(): number {
    return this.#unroutable;
  }

  /** Rejects if the pool itself has failed, after which it does nothing; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /** The state of each region that is open. */
  statuses(): readonly RelayStatus[] {
    return [...this.#open.values()].map(({ client }) => client.status);
  }

  /**
   * Returns the regions that refused an upgrade, with their answers, as a node publishes them
   * (docs/protocol/tailnet.md §2.1).
   */
  forcedWebSockets(): ReadonlyMap<number, string> {
    const reasons = this.statuses().flatMap(({ regionId, forcedWebSocket }) =>
      forcedWebSocket === undefined ? [] : [[regionId, forcedWebSocket] as const],
    );
    return new Map(reasons);
  }

  /** Applies a new map. Regions whose definition has changed are closed; the home is reopened. */
  setMap(map: DerpMap): void {
    if (this.#isClosed) return;
    const before = this.#map;
    this.#map = map;
    for (const regionId of this.#open.keys()) {
      const [old, now] = [before.regions.get(regionId), map.regions.get(regionId)];
      if (old === undefined || now === undefined || !isSameRegion(old, now)) this.#close(regionId);
    }
    if (this.#homeId === undefined) return;
    if (!this.#hasRelay(this.#homeId)) this.#homeId = undefined;
    else this.#regionOf(this.#homeId);
  }

  /** Makes a region the home: its connection stays open, and each relay is told whether it is the home. */
  setHome(regionId: number | undefined): void {
    if (this.#isClosed || regionId === this.#homeId) return;
    this.#homeId = regionId !== undefined && this.#hasRelay(regionId) ? regionId : undefined;
    for (const [id, { client }] of this.#open) client.setHome(id === this.#homeId);
    if (this.#homeId !== undefined) this.#regionOf(this.#homeId);
    this.#wake.wake();
  }

  /**
   * Sends packets to a peer whose home is `regionId`; they are copied. They use the open connection to that region,
   * else the one on which the peer was last heard, else a new one (docs/protocol/tailnet.md §2.8).
   */
  send(regionId: number, peerKey: Uint8Array, packets: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const region = this.#choose(regionId, peerKey);
    if (region === undefined) {
      this.#unroutable += packets.length;
      return;
    }
    region.usedAtMs = this.#options.clock.monotonic();
    region.client.send(peerKey, packets);
  }

  /** Checks that the connections are still there, for example after a change of the network. */
  check(): void {
    for (const { client } of this.#open.values()) client.check();
  }

  /** Closes all connections, after sending what waits. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const clients = [...this.#open.values()].map(({ client }) => client.close());
    this.#open.clear();
    await Promise.all(clients);
    await this.#scope.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #choose(regionId: number, peerKey: Uint8Array): OpenRegion | undefined {
    const home = this.#open.get(regionId);
    if (home?.client.isConnected === true) return home;
    const heardAt = this.#routes.find(peerKey);
    const heard = heardAt === undefined ? undefined : this.#open.get(heardAt);
    if (heard?.client.isConnected === true) return heard;
    return this.#regionOf(regionId);
  }

  /** Returns a region's connection, opening it if necessary; undefined if it has no relay. */
  #regionOf(regionId: number): OpenRegion | undefined {
    const known = this.#open.get(regionId);
    if (known !== undefined) return known;
    const region = this.#map.regions.get(regionId);
    if (region === undefined || !this.#hasRelay(regionId)) return undefined;
    const opened = { client: this.#openClient(region), usedAtMs: this.#options.clock.monotonic() };
    this.#open.set(regionId, opened);
    this.#wake.wake();
    return opened;
  }

  #openClient(region: DerpRegion): RelayClient {
    const { regionId } = region;
    const { onPackets, onPeerGone, onStatus, forceWebSocket = false, ...needs } = this.#options;
    const client: RelayClient = new RelayClient({
      ...needs,
      region,
      forceWebSocket,
      isHome: regionId === this.#homeId,
      onPackets: (source, packets) => {
        this.#routes.note(source, regionId);
        onPackets(regionId, source, packets);
      },
      onPeerGone: (key, reason) => {
        this.#routes.forget(key, regionId);
        onPeerGone?.(regionId, key, reason);
      },
      onStatus: () => onStatus?.(client.status),
    });
    client.failed.catch((error: unknown) => {
      this.#scope.run(async () => {
        throw error;
      });
    });
    return client;
  }

  #hasRelay(regionId: number): boolean {
    const region = this.#map.regions.get(regionId);
    return region !== undefined && relayNodes(region).length > 0;
  }

  #close(regionId: number): void {
    const region = this.#open.get(regionId);
    if (region === undefined) return;
    this.#open.delete(regionId);
    this.#scope.run(() => region.client.close());
  }

  async #closeIdle(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const nowMs = clock.monotonic();
      let nextMs = Number.POSITIVE_INFINITY;
      for (const [regionId, { usedAtMs }] of this.#open) {
        if (regionId === this.#homeId) continue;
        if (nowMs - usedAtMs >= idleTimeoutMs) this.#close(regionId);
        else nextMs = Math.min(nextMs, usedAtMs + idleTimeoutMs);
      }
      await this.#wake.waitUntil(nextMs, nowMs, clock, signal);
    }
  }
}
