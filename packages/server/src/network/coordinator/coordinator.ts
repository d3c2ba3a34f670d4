import { Backoff, type Clock, errorText, type Logger, Scope } from "@slipway/runtime";
import type { Registry } from "prom-client";

import { addCounter, addGauge } from "../../platform/read-metrics.ts";
import { type ConnectionOwner, type ConnectionParts, PeerConnection } from "./peer-connection.ts";
import type { Peer, PeerDirectory, PublishedNode, StandingState } from "./peer-directory.ts";

interface CoordinatorOptions {
  readonly directory: PeerDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The activity of one replica's coordinator. */
interface CoordinatorCounters {
  /** The peers that are connected. */
  readonly peers: number;
  /** The tunnels that they opened over their present connections. */
  readonly tunnels: number;
  /** The updates about other peers sent since the start. */
  readonly updates: number;
}

/** The maximum number of views read by one statement. */
const maxViewsAtOnce = 64;
/** The time in which each view is read once without a hint, a part of them at each step. */
const roundMs = 60_000;
const stepMs = 1_000;

/**
 * Informs the peers connected to this replica about those with which they share a tunnel, wherever these are
 * connected. After any change, a peer's view is read again and compared with what the peer was told, because hints may
 * be duplicate, late or spurious. The views to read are gathered, so that a change that many peers see costs few
 * statements.
 */
export class Coordinator implements ConnectionOwner, AsyncDisposable {
  readonly #options: CoordinatorOptions;
  readonly #scope = new Scope();
  readonly #parts: ConnectionParts;
  /** The newest connection of each peer, in the order in which their views are read without a hint. */
  readonly #connections = new Map<string, PeerConnection>();
  readonly #toRead = new Set<PeerConnection>();
  readonly #publishedListeners = new Set<(node: PublishedNode) => void>();
  #isReading = false;
  #updates = 0;
  /** The number of views that this round must have read by now; fractions add up. */
  #owedLooks = 0;

  /** Owns the directory, and disposes of it at the end. */
  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#parts = { ...options, signal: this.#scope.signal, owner: this };
    options.directory.onForgotten(() => this.#endAll("coordinator unhealthy"));
    this.#scope.run((signal) => this.#lookRegularly(signal));
  }

  /** Returns the current counts. */
  get counters(): CoordinatorCounters {
    let tunnels = 0;
    for (const connection of this.#connections.values()) tunnels += connection.tunnels;
    return { peers: this.#connections.size, tunnels, updates: this.#updates };
  }

  /** Calls `listener` with each node that a peer publishes here; `listener` must be quick and not throw. */
  onPublished(listener: (node: PublishedNode) => void): Disposable {
    this.#publishedListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#publishedListeners.delete(listener) };
  }

  /** Connects a peer. Ends its earlier connection here, whose writes stay. */
  join(peer: Peer): PeerConnection {
    const { directory } = this.#options;
    const earlier = this.#connections.get(peer.id);
    const connection = new PeerConnection(peer, this.#parts, earlier?.written);
    earlier?.end("peer ID overwritten by new connection");
    this.#connections.set(peer.id, connection);
    if (this.#scope.signal.aborted) connection.end("coordinator closed");
    else if (!directory.isHealthy) connection.end("coordinator unhealthy");
    return connection;
  }

  /** Removes a connected peer whose key has ended; one that is connected by another key stays. */
  async remove({ id, keyId }: Pick<Peer, "id" | "keyId">): Promise<void> {
    const connection = this.#connections.get(id);
    if (connection?.peer.keyId !== keyId) return;
    connection?.leave("disconnected", "access to the workspace has ended");
    await connection?.written;
  }

  /** Removes a tunnel of a connected peer, which may no longer reach its destination. */
  async removeTunnel(source: string, destination: string): Promise<void> {
    await this.#connections.get(source)?.removeTunnel(destination);
  }

  /** Reads what a peer has published and opened over earlier connections, including writes that are still under way. */
  async readStanding(id: string): Promise<StandingState> {
    await this.#connections.get(id)?.written;
    return this.#options.directory.readStanding(id);
  }

  /** For connections. */
  look(connection: PeerConnection): void {
    this.#toRead.add(connection);
    this.#read();
  }

  /** For connections. */
  countUpdates(count: number): void {
    this.#updates += count;
  }

  /** For connections. */
  announce(node: PublishedNode): void {
    for (const listener of this.#publishedListeners) listener(node);
  }

  /** For connections. */
  forget(connection: PeerConnection): void {
    this.#toRead.delete(connection);
    const { id } = connection.peer;
    if (this.#connections.get(id) === connection) this.#connections.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endAll("coordinator closed");
    await this.#scope.close();
    await this.#options.directory[Symbol.asyncDispose]();
  }

  #endAll(error: string): void {
    for (const connection of this.#connections.values()) connection.end(error);
  }

  /** Looks at all connections in turn: a hint may be lost. One timer and a few statements a second serve thousands. */
  async #lookRegularly(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(stepMs, signal);
      this.#owedLooks += (this.#connections.size * stepMs) / roundMs;
      for (const [id, connection] of this.#connections) {
        if (this.#owedLooks < 1) break;
        this.#owedLooks -= 1;
        this.#connections.delete(id);
        this.#connections.set(id, connection);
        this.#toRead.add(connection);
      }
      this.#read();
    }
  }

  #read(): void {
    if (this.#isReading || this.#toRead.size === 0) return;
    this.#isReading = true;
    this.#scope.run((signal) => this.#readViews(signal));
  }

  async #readViews(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    while (this.#toRead.size > 0) {
      const batch = [...this.#toRead].slice(0, maxViewsAtOnce);
      for (const connection of batch) this.#toRead.delete(connection);
      try {
        const ids = batch.map(({ peer }) => peer.id);
        const views = await this.#options.directory.readViews(ids);
        for (const connection of batch) connection.show(views.get(connection.peer.id) ?? new Map());
        backoff.reset();
      } catch (error) {
        signal.throwIfAborted();
        this.#options.logger.warn({ error: errorText(error) }, "cannot read peer views");
        for (const connection of batch) if (!connection.isOver) this.#toRead.add(connection);
        await this.#options.clock.sleep(backoff.next(), signal);
      }
    }
    this.#isReading = false;
  }
}

/** Adds the coordinator's metrics, counted when they are scraped. */
export function addCoordinatorMetrics(registry: Registry, read: () => CoordinatorCounters): void {
  addGauge(
    registry,
    "slipway_coordinator_peers",
    "Agents and clients that this replica coordinates.",
    () => read().peers,
  );
  addGauge(
    registry,
    "slipway_coordinator_tunnels",
    "Tunnels that this replica's clients opened to agents.",
    () => read().tunnels,
  );
  addCounter(
    registry,
    "slipway_coordinator_updates_total",
    "Updates about other peers that this replica sent to agents and clients.",
    () => read().updates,
  );
}
