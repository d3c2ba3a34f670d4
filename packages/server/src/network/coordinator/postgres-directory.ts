import { randomUUID } from "node:crypto";

import { errorText, Scope, settlesWithin, spread, Turnstile } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import type { HeartbeatConnection } from "../../platform/db/heartbeat-connection.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import {
  type AbsentClient,
  type AbsentFilter,
  deleteAbsent,
  deleteAbsentTunnels,
  selectAbsent,
} from "./absent-clients.ts";
import {
  defaultDirectoryTimes,
  type DirectoryTimes,
  type Peer,
  type PeerDirectory,
  type PublishedNode,
  type SeenPeer,
  type StandingState,
  type View,
} from "./peer-directory.ts";
import {
  beat,
  deleteForgotten,
  deleteLeftovers,
  deletePeer,
  deleteTunnel,
  insertTunnel,
  markAllLost,
  markPeerLost,
  selectPeersOf,
  selectStanding,
  selectViews,
  updateReadiness,
  upsertPeer,
  type ViewRow,
} from "./queries.ts";
import { reserve } from "./reservations.ts";

export interface PostgresDirectoryOptions extends Platform {
  readonly heartbeats: Pick<HeartbeatConnection, "beat">;
  readonly times?: DirectoryTimes;
}

/** The maximum number of concurrent writes, each of which holds a connection; others must find one. */
const maxWritesAtOnce = 8;
/** The time between two searches for forgotten peers. */
const cleanupMs = 60_000;

/**
 * The directory on PostgreSQL: the tables are the truth, and hints say whose view to read again. A replica that cannot
 * write its heartbeat gives itself up before others do, and continues under another id, so that its earlier writes do
 * not count.
 */
export class PostgresDirectory implements PeerDirectory {
  readonly #options: PostgresDirectoryOptions;
  readonly #times: DirectoryTimes;
  readonly #scope = new Scope();
  readonly #turnstile = new Turnstile((inside) => inside < maxWritesAtOnce);
  readonly #listeners = new Set<() => void>();
  readonly #forgotten: (() => void)[] = [];
  /** The id of this replica in the tables. */
  #id: string = randomUUID();
  /** The ids of the other live replicas, sorted; undefined before the first heartbeat. */
  #others: readonly string[] | undefined;
  #beatAt: number;
  #isHealthy = true;

  private constructor(options: PostgresDirectoryOptions) {
    this.#options = options;
    this.#times = options.times ?? defaultDirectoryTimes;
    this.#beatAt = options.clock.monotonic();
  }

  /** Announces this replica; nothing can be written before. */
  static async open(options: PostgresDirectoryOptions): Promise<PostgresDirectory> {
    const directory = new PostgresDirectory(options);
    await directory.#beat();
    directory.#scope.run((signal) => directory.#beatRegularly(signal));
    directory.#scope.run((signal) => directory.#cleanUpRegularly(signal));
    return directory;
  }

  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /**
   * True on one of the live replicas, for what only one has to do. Two or none may believe it for as long as a heartbeat, so
   * that others must do it too, if later.
   */
  get isOnDuty(): boolean {
    return this.#isHealthy && (this.#others ?? []).every((other) => this.#id < other);
  }

  onForgotten(listener: () => void): void {
    this.#forgotten.push(listener);
  }

  subscribe(id: string, listener: () => void): Disposable {
    const subscription = this.#options.pubsub.subscribe(topics.tailnetPeer(id), listener);
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        subscription[Symbol.dispose]();
        this.#listeners.delete(listener);
      },
    };
  }

  async putNode(
    peer: Peer,
    { bytes, reserved, latency }: PublishedNode,
    isFirst: boolean,
  ): Promise<boolean> {
    const coordinatorId = this.#id;
    const values = [...new Set(reserved)];
    const isStored = await this.#write((db) =>
      inTransaction(db, async (trx) => {
        if ((await reserve(trx, peer, coordinatorId, values)) < values.length) return false;
        await upsertPeer(trx, peer, coordinatorId, { bytes, reserved: values, latency, isFirst });
        return true;
      }),
    );
    if (isStored) await this.#hintPeersOf(peer.id);
    return isStored;
  }

  async addTunnel(source: Peer, destination: string): Promise<void> {
    await this.#write((db) => insertTunnel(db, source, this.#id, destination));
    this.#hint([source.id, destination]);
  }

  async removeTunnel(source: string, destination: string): Promise<void> {
    await this.#write((db) => deleteTunnel(db, this.#entry(source), destination));
    this.#hint([source, destination]);
  }

  async sayReady(id: string, others: readonly string[]): Promise<ReadonlySet<string>> {
    const told = await this.#write((db) => updateReadiness(db, id, others));
    this.#hint(told);
    return new Set(told);
  }

  async markLost(peer: Peer, isGone: boolean): Promise<void> {
    this.#hint(await this.#write((db) => markPeerLost(db, peer, this.#id, isGone)));
    await this.#hintPeersOf(peer.id);
  }

  async remove(id: string): Promise<void> {
    this.#hint(await this.#write((db) => deletePeer(db, this.#entry(id))));
    await this.#hintPeersOf(id);
  }

  async readViews(ids: readonly string[]): Promise<ReadonlyMap<string, View>> {
    const rows = await selectViews(this.#options.db, ids, this.#times.deadMs);
    return viewsOf(ids, rows);
  }

  /** Reads the clients, of all replicas, that are lost or whose replica is dead. */
  readAbsent(which: AbsentFilter): AsyncIterable<readonly AbsentClient[]> {
    return selectAbsent(this.#options.db, this.#times.deadMs, which);
  }

  /** Removes clients that may not come back. */
  async removeAbsent(clients: readonly AbsentClient[]): Promise<void> {
    const revisions = clients.map(({ revision }) => revision);
    this.#hint(await deleteAbsent(this.#options.db, revisions, this.#times.deadMs));
  }

  /** Removes tunnels that their sources may no longer use once they come back. */
  async removeAbsentTunnels(
    tunnels: readonly { readonly source: string; readonly destination: string }[],
  ): Promise<void> {
    await deleteAbsentTunnels(this.#options.db, tunnels, this.#times.deadMs);
    this.#hint(new Set(tunnels.flatMap(({ source, destination }) => [source, destination])));
  }

  readStanding(id: string): Promise<StandingState> {
    return selectStanding(this.#options.db, id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
    try {
      this.#hint(await markAllLost(this.#options.db, this.#id));
    } catch (error) {
      // The other replicas notice the missing heartbeat.
      this.#options.logger.warn({ error: errorText(error) }, "cannot mark peers as lost");
    }
  }

  #entry(id: string): { readonly id: string; readonly coordinatorId: string } {
    return { id, coordinatorId: this.#id };
  }

  #write<T>(write: (db: Database) => Promise<T>): Promise<T> {
    return this.#turnstile.run(undefined, () => write(this.#options.db));
  }

  #hint(ids: Iterable<string>): void {
    for (const id of ids) this.#options.pubsub.publish(topics.tailnetPeer(id));
  }

  /**
   * Hints the peers that share a tunnel with a changed one: one that opened it meanwhile may have missed the change.
   */
  async #hintPeersOf(id: string): Promise<void> {
    this.#hint(await selectPeersOf(this.#options.db, id));
  }

  #hintAll(): void {
    for (const listener of this.#listeners) listener();
  }

  async #beatRegularly(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(this.#times.heartbeatMs, signal);
      try {
        await this.#untilAnswered(this.#beat(), signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.logger.debug({ error: errorText(error) }, "cannot write the heartbeat");
        this.#checkHealth();
      }
    }
  }

  /** Waits for a heartbeat, which the database may never answer: others count this replica as dead meanwhile. */
  async #untilAnswered(sent: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!(await settlesWithin(sent, this.#times.heartbeatMs, clock, signal))) {
      if (signal.aborted) break;
      this.#checkHealth();
    }
    await sent;
  }

  async #beat(): Promise<void> {
    const begunAt = this.#options.clock.monotonic();
    const isFirst = this.#others === undefined;
    this.#checkHealth();
    const wasHealthy = this.#isHealthy;
    if (!wasHealthy) this.#id = randomUUID();
    const { isNew, others } = await this.#options.heartbeats.beat((db) =>
      beat(db, this.#id, this.#times.deadMs),
    );
    // Others have counted this id as dead: the next heartbeat takes another one.
    if (wasHealthy && !this.#isHealthy) return;
    if (isNew && !isFirst && wasHealthy) this.#forget("the tables of the network are empty");
    this.#beatAt = begunAt;
    if (!wasHealthy) this.#options.logger.info({}, "coordinating peers again");
    this.#isHealthy = true;
    if (others.join() !== this.#others?.join()) this.#hintAll();
    this.#others = others;
  }

  /** Gives this replica up once the others may count it as dead. */
  #checkHealth(): void {
    if (!this.#isHealthy) return;
    const silentMs = this.#options.clock.monotonic() - this.#beatAt;
    if (silentMs < this.#times.deadMs) return;
    this.#isHealthy = false;
    this.#forget(`no heartbeat for ${Math.round(silentMs)} ms`);
  }

  #forget(reason: string): void {
    this.#options.logger.warn({ reason }, "all peers of this server must reconnect");
    for (const listener of this.#forgotten) listener();
  }

  async #cleanUpRegularly(signal: AbortSignal): Promise<void> {
    const intervalMs = Math.min(cleanupMs, this.#times.graceMs);
    for (;;) {
      await this.#options.clock.sleep(spread(intervalMs), signal);
      try {
        this.#hint(await deleteForgotten(this.#options.db, this.#times));
        await deleteLeftovers(this.#options.db, this.#times.deadMs);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.logger.warn({ error: errorText(error) }, "cannot clean up lost peers");
      }
    }
  }
}

/**
 * Returns the view of each viewer: of several rows for a peer, a present one rather than a lost one, then the newest.
 */
function viewsOf(
  ids: readonly string[],
  rows: readonly ViewRow[],
): ReadonlyMap<string, Map<string, SeenPeer>> {
  const views = new Map(ids.map((id) => [id, new Map<string, SeenPeer>()]));
  const sorted = rows.toSorted(
    (one, other) =>
      Number(one.node !== null) - Number(other.node !== null) || one.revision - other.revision,
  );
  for (const { viewer, id, node, readiness, is_gone: isGone } of sorted) {
    views.get(viewer)?.set(id, { node: node ?? undefined, readiness, isGone });
  }
  return views;
}
