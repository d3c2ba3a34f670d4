/** A peer and its holder. */
export interface Peer {
  readonly id: string;
  /** The party that may use its addresses and keys, such as `user:<id>`. */
  readonly holder: string;
  /** The session or token of a client; undefined for an agent and the server itself. */
  readonly keyId: string | undefined;
  /** The address at which the server sees a client; undefined for an agent and the server itself. */
  readonly ip: string | undefined;
}

/** A node as a peer publishes it. */
export interface PublishedNode {
  /** The encoded message `Node`. */
  readonly bytes: Uint8Array;
  /** The addresses and keys by which others reach the peer: only its holder may publish them. */
  readonly reserved: readonly string[];
  /** The latencies that it measured, as JSON for clients; undefined for a peer that is not an agent. */
  readonly latency: object | undefined;
}

/** A peer as another one sees it, with which it shares a tunnel. */
export interface SeenPeer {
  /** The encoded message `Node`; absent for a lost peer. */
  readonly node: Uint8Array | undefined;
  /** True for a lost peer that closed its connection itself. */
  readonly isGone: boolean;
  /** A number that grows when the peer says that it is ready for a handshake; 0 if it has not since it connected. */
  readonly readiness: number;
}

/** The nodes and tunnels that connections of a peer have published and opened, and not withdrawn. */
export interface StandingState {
  /** Its encoded nodes: one for each replica that knows it. */
  readonly nodes: readonly Uint8Array[];
  /** The peers to which it has tunnels. */
  readonly destinations: readonly string[];
}

/** The peers that one peer sees, by id. */
export type View = ReadonlyMap<string, SeenPeer>;

/** Times of a directory with several replicas, in milliseconds. */
export interface DirectoryTimes {
  /** The time between two heartbeats of a replica. */
  readonly heartbeatMs: number;
  /** The time without a heartbeat after which a replica counts as dead, and its peers as lost. */
  readonly deadMs: number;
  /** The time after which a lost peer is forgotten. */
  readonly graceMs: number;
}

/**
 * The times of docs/protocol/tailnet.md §8.3. A receiver keeps a lost peer for 15 minutes after its last handshake
 * (§2.6), so its addresses stay reserved as long.
 */
export const defaultDirectoryTimes: DirectoryTimes = {
  heartbeatMs: 2_000,
  deadMs: 6_000,
  graceMs: 15 * 60_000,
};

/**
 * The peers of all replicas, their nodes and their tunnels, as one replica writes and sees them. Every method is
 * repeatable. A tunnel is directed; each end sees the other. Dispose of it to mark the replica's own peers as lost.
 *
 *   unknown --putNode, addTunnel--> present --markLost, death of the replica--> lost --putNode--> present
 *   present or lost --remove--> unknown        lost --graceMs--> unknown
 */
export interface PeerDirectory extends AsyncDisposable {
  /** False while this replica's writes do not count, because it cannot write its heartbeat. */
  readonly isHealthy: boolean;
  /** Calls `listener` when this replica's writes no longer count: its peers must reconnect. */
  onForgotten(listener: () => void): void;
  /** Calls `listener` when the view of a peer may have changed. Subscribe before you read. */
  subscribe(id: string, listener: () => void): Disposable;
  /**
   * Stores a peer's node. A `first` one of a connection resets readiness. Resolves to false, with nothing
   * stored, if another holder has one of the reserved values.
   */
  putNode(peer: Peer, node: PublishedNode, isFirst: boolean): Promise<boolean>;
  addTunnel(source: Peer, destination: string): Promise<void>;
  removeTunnel(source: string, destination: string): Promise<void>;
  /** Tells peers that `id` is ready for their handshakes; resolves to those that share a tunnel with it. */
  sayReady(id: string, others: readonly string[]): Promise<ReadonlySet<string>>;
  /** Marks a peer as lost, and as gone if it closed its connection itself; one without a node is removed. */
  markLost(peer: Peer, isGone: boolean): Promise<void>;
  /** Removes a peer with the tunnels that start at it. */
  remove(id: string): Promise<void>;
  readStanding(id: string): Promise<StandingState>;
  /** Reads the views of peers; one that shares no tunnel sees no one. */
  readViews(ids: readonly string[]): Promise<ReadonlyMap<string, View>>;
}
