import type {
  DirectoryTimes,
  Peer,
  PeerDirectory,
  PublishedNode,
  SeenPeer,
  StandingState,
  View,
} from "../../src/network/coordinator/peer-directory.ts";
import { LocalListeners } from "../../src/platform/pubsub/local-listeners.ts";

interface Entry extends Peer {
  node: PublishedNode | undefined;
  /** The revision of the newest change; of two entries of a peer, the later one counts. */
  revision: number;
  /** The revision at which its connection published its first node; readiness from before does not count. */
  joined: number;
  lostAt: number | undefined;
  isGone: boolean;
}

interface Tunnel {
  readonly source: string;
  readonly destination: string;
  /** The revisions at which each end told the other that it is ready, 0 for never. */
  readonly readiness: Map<string, number>;
}

/** Entries that one replica wrote. */
interface Shelf {
  readonly entries: Map<string, Entry>;
  readonly tunnels: Map<string, Tunnel>;
  isAlive: boolean;
}

/**
 * An in-memory directory, shared by the replicas that are opened on it: the model of the one on PostgreSQL, for tests.
 */
export class MemoryPeers {
  readonly #times: DirectoryTimes;
  readonly #shelves = new Set<Shelf>();
  readonly #listeners = new LocalListeners();
  #revision = 0;

  constructor(times: DirectoryTimes) {
    this.#times = times;
  }

  /** Opens one more replica. `kill` ends it abruptly. */
  open(): PeerDirectory & { kill(): void } {
    const shelf: Shelf = { entries: new Map(), tunnels: new Map(), isAlive: true };
    this.#shelves.add(shelf);
    let forgotten: (() => void) | undefined;
    return {
      isHealthy: true,
      onForgotten: (listener) => (forgotten = listener),
      subscribe: (id, listener) => this.#listeners.add(id, listener),
      putNode: async (peer, node, isFirst) => this.#putNode(shelf, peer, node, isFirst),
      addTunnel: async (source, destination) => this.#addTunnel(shelf, source, destination),
      removeTunnel: async (source, destination) => {
        shelf.tunnels.delete(tunnelKey(source, destination));
        this.#hint([source, destination]);
      },
      sayReady: async (id, others) => this.#sayReady(id, others),
      markLost: async ({ id }, isGone) => this.#markLost(shelf, id, isGone),
      remove: async (id) => this.#remove(shelf, id),
      readStanding: async (id) => this.#standingOf(id),
      readViews: async (ids) => new Map(ids.map((id) => [id, this.#viewOf(id)])),
      kill: () => {
        setTimeout(() => {
          shelf.isAlive = false;
          this.#listeners.hintAll();
        }, this.#times.deadMs);
        setTimeout(() => {
          this.#shelves.delete(shelf);
          this.#listeners.hintAll();
        }, this.#times.deadMs + this.#times.graceMs);
        forgotten?.();
      },
      [Symbol.asyncDispose]: async () => {
        for (const id of shelf.entries.keys()) this.#markLost(shelf, id, undefined);
      },
    };
  }

  #putNode(shelf: Shelf, peer: Peer, node: PublishedNode, isFirst: boolean): boolean {
    if (this.#isTaken(peer, node)) return false;
    const entry = this.#entryOf(shelf, peer);
    this.#revision += 1;
    if (isFirst) entry.joined = this.#revision;
    Object.assign(entry, { node, revision: this.#revision, lostAt: undefined, isGone: false });
    this.#hintPeersOf(peer.id);
    return true;
  }

  #isTaken({ holder }: Peer, { reserved }: PublishedNode): boolean {
    return this.#entries().some(
      (entry) =>
        entry.holder !== holder && entry.node?.reserved.some((one) => reserved.includes(one)),
    );
  }

  #addTunnel(shelf: Shelf, source: Peer, destination: string): void {
    this.#entryOf(shelf, source);
    const key = tunnelKey(source.id, destination);
    const tunnel = { source: source.id, destination, readiness: new Map() };
    if (!shelf.tunnels.has(key)) shelf.tunnels.set(key, tunnel);
    this.#hint([source.id, destination]);
  }

  #sayReady(id: string, others: readonly string[]): ReadonlySet<string> {
    const told = new Set<string>();
    for (const tunnel of this.#tunnels()) {
      const other = otherEnd(tunnel, id);
      if (other === undefined || !others.includes(other)) continue;
      this.#revision += 1;
      tunnel.readiness.set(id, this.#revision);
      told.add(other);
    }
    this.#hint(told);
    return told;
  }

  /** `isGone` is undefined to keep the old value. */
  #markLost(shelf: Shelf, id: string, isGone: boolean | undefined): void {
    const entry = shelf.entries.get(id);
    if (entry === undefined) return;
    if (entry.node === undefined) return this.#remove(shelf, id);
    const lostAt = Date.now();
    entry.lostAt = lostAt;
    entry.isGone = isGone ?? entry.isGone;
    this.#hintPeersOf(id);
    setTimeout(() => {
      if (entry.lostAt === lostAt) this.#remove(shelf, id);
    }, this.#times.graceMs);
  }

  #remove(shelf: Shelf, id: string): void {
    const others = this.#peersOf(id);
    shelf.entries.delete(id);
    for (const [key, { source }] of shelf.tunnels) if (source === id) shelf.tunnels.delete(key);
    this.#hint([id, ...others]);
  }

  #standingOf(id: string): StandingState {
    const entries = this.#entries().filter((entry) => entry.id === id);
    return {
      nodes: entries.flatMap(({ node }) => (node === undefined ? [] : [node.bytes])),
      destinations: this.#tunnels()
        .filter(({ source }) => source === id)
        .map(({ destination }) => destination),
    };
  }

  #viewOf(id: string): View {
    const view = new Map<string, SeenPeer>();
    for (const other of this.#peersOf(id)) {
      const seen = this.#seen(other, id);
      if (seen !== undefined) view.set(other, seen);
    }
    return view;
  }

  /** Returns a peer as seen by `viewer`: present rather than lost, the newest of several. */
  #seen(id: string, viewer: string): SeenPeer | undefined {
    const entries = [...this.#shelves].flatMap(({ entries: all, isAlive }) => {
      const entry = all.get(id);
      if (entry?.node === undefined) return [];
      return [{ ...entry, isLost: !isAlive || entry.lostAt !== undefined }];
    });
    const [best] = entries.toSorted(
      (one, other) => Number(one.isLost) - Number(other.isLost) || other.revision - one.revision,
    );
    if (best === undefined) return undefined;
    if (best.isLost) return { node: undefined, readiness: 0, isGone: best.isGone };
    const readiness = this.#tunnels()
      .filter((tunnel) => otherEnd(tunnel, id) === viewer)
      .map((tunnel) => tunnel.readiness.get(id) ?? 0);
    const newest = Math.max(0, ...readiness);
    return { node: best.node?.bytes, readiness: newest >= best.joined ? newest : 0, isGone: false };
  }

  #entryOf(shelf: Shelf, peer: Peer): Entry {
    const known = shelf.entries.get(peer.id);
    if (known !== undefined) return known;
    const entry = {
      ...peer,
      node: undefined,
      revision: 0,
      joined: 0,
      lostAt: undefined,
      isGone: false,
    };
    shelf.entries.set(peer.id, entry);
    return entry;
  }

  #entries(): readonly Entry[] {
    return [...this.#shelves].flatMap(({ entries }) => Array.from(entries.values()));
  }

  #tunnels(): readonly Tunnel[] {
    return [...this.#shelves].flatMap(({ tunnels }) => Array.from(tunnels.values()));
  }

  #peersOf(id: string): ReadonlySet<string> {
    const others = this.#tunnels().map((tunnel) => otherEnd(tunnel, id));
    return new Set(others.filter((other) => other !== undefined));
  }

  #hintPeersOf(id: string): void {
    this.#hint(this.#peersOf(id));
  }

  #hint(ids: Iterable<string>): void {
    for (const id of ids) this.#listeners.hint(id);
  }
}

function tunnelKey(source: string, destination: string): string {
  return `${source} ${destination}`;
}

function otherEnd({ source, destination }: Tunnel, id: string): string | undefined {
  if (source === id) return destination;
  return destination === id ? source : undefined;
}
