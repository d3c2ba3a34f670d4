import { abortable, type Clock, errorText, Scope, withDeadline } from "@slipway/runtime";
import type { CoordinationState } from "@slipway/tailnet/coordination/coordination-loop";
import type { NetworkStatus } from "@slipway/tailnet/net/network-status";
import type { TailnetPeer } from "@slipway/tailnet/net/tailnet-peer";
import type { PeerRoute } from "@slipway/tailnet/path/path-action";
import { formatUdpAddress } from "@slipway/tailnet/path/udp-address";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import type { UdpSocket } from "@slipway/tailnet/stack/udp-socket";

/** The path of packets to an agent: through a relay, or directly to a UDP address such as `192.0.2.1:41641`. */
export type AgentPath =
  | { readonly kind: "relay"; readonly regionId: number; readonly regionName: string }
  | { readonly kind: "direct"; readonly address: string };

export interface Pong {
  readonly latencyMs: number;
  readonly path: AgentPath;
}

/** The parts of a connection, which it owns from then on. */
interface WorkspaceConnectionParts {
  readonly peer: TailnetPeer;
  readonly agentId: string;
  /** The agent's address inside the network. */
  readonly address: Uint8Array;
  readonly clock: Clock;
  /** Connects the peer to its coordinator until the signal; rejects if the server refuses. */
  readonly coordinate: (
    onState: (state: CoordinationState) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Closes the sockets of the peer, after the peer. */
  readonly closeSockets: () => Promise<void>;
}

/** The time for an agent to answer. */
const reachTimeoutMs = 30_000;

/** A connection of this machine to an agent over the encrypted network. Its opener disposes of it. */
export class WorkspaceConnection implements AsyncDisposable {
  readonly #parts: WorkspaceConnectionParts;
  readonly #scope = new Scope();
  #coordination: CoordinationState = { type: "connecting", error: undefined };
  #isReached = false;

  constructor(parts: WorkspaceConnectionParts) {
    this.#parts = parts;
    parts.peer.coordination.addDestination(parts.agentId);
    this.#scope.run((signal) =>
      parts.coordinate((state) => {
        this.#coordination = state;
      }, signal),
    );
    this.#scope.run((signal) => abortable(parts.peer.failed, signal));
  }

  /** The agent's address inside the network. */
  get address(): Uint8Array {
    return this.#parts.address;
  }

  /** The current path; undefined before the agent was reached. */
  get path(): AgentPath | undefined {
    const { peer, agentId } = this.#parts;
    const { route } = peer.routeOf(agentId);
    return this.#isReached && route !== undefined ? this.#describe(route) : undefined;
  }

  /** The state of this side of the network, for diagnostics. */
  get status(): NetworkStatus {
    return this.#parts.peer.status;
  }

  /** Rejects with the server's refusal, or a fault of the peer itself; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /**
   * Waits until the agent answers. Throws `NetworkError`, which names the rung that failed, `DialError` if the server
   * refuses, and the signal's reason.
   */
  async reach(signal: AbortSignal): Promise<void> {
    const { peer, agentId, clock } = this.#parts;
    if (this.#isReached) return;
    await withDeadline(reachTimeoutMs, clock, async (limit) => {
      try {
        const reached = peer.reach(agentId, AbortSignal.any([signal, limit]));
        await Promise.race([reached, this.#scope.failed]);
      } catch (error) {
        throw limit.aborted && !signal.aborted ? this.#explain() : error;
      }
    });
    this.#isReached = true;
  }

  /** Connects to a TCP port of the agent. Throws `TcpError` "refused" if nothing listens there, and as `reach` does. */
  async dial(port: number, signal: AbortSignal): Promise<TcpStream> {
    const { peer, agentId, address } = this.#parts;
    const connect = (ended: AbortSignal): Promise<TcpStream> =>
      peer.stack.connect({ address, port }, { signal: ended });
    if (this.#isReached) return connect(signal);
    // The first packet waits for the tunnel's handshake beside the ping, rather than for the answer to the ping.
    const unreachable = new AbortController();
    const ended = AbortSignal.any([signal, unreachable.signal]);
    const connecting = peer.coordination.installed(agentId, ended).then(() => connect(ended));
    connecting.catch(() => undefined);
    try {
      await this.reach(signal);
    } catch (error) {
      unreachable.abort(error);
      throw error;
    }
    return connecting;
  }

  /** Opens a UDP socket, from which datagrams are sent to `address`. */
  bindUdp(): UdpSocket {
    return this.#parts.peer.stack.bindUdp();
  }

  /** Pings the agent's peer below TCP/IP, over all paths at the same time. Throws as `reach` does. */
  async ping(signal: AbortSignal): Promise<Pong> {
    await this.reach(signal);
    const { peer, agentId } = this.#parts;
    const { latencyMs, via } = await peer.ping(agentId, signal);
    return { latencyMs, path: this.#describe(via) };
  }

  /** Tells the peer that the machine may have another network now. */
  networkChanged(): void {
    this.#parts.peer.networkChanged();
  }

  /** Says goodbye and closes everything. Idempotent. */
  async close(): Promise<void> {
    await this.#parts.peer.close();
    await this.#scope.close();
    await this.#parts.closeSockets();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #describe(route: PeerRoute): AgentPath {
    if (route.kind === "udp") return { kind: "direct", address: formatUdpAddress(route.address) };
    const { regionId } = route;
    const regionName = this.status.map.regions.get(regionId)?.name ?? `region ${regionId}`;
    return { kind: "relay", regionId, regionName };
  }

  /** Finds the lowest rung that fails. */
  #explain(): NetworkError {
    const state = this.#coordination;
    if (state.type === "connecting") {
      const { error } = state;
      const reason = error === undefined ? "no answer from the server" : errorText(error);
      return new NetworkError("coordinator", reason, { cause: error });
    }
    const { homeRegionId, relays } = this.status;
    const home = relays.find(({ regionId }) => regionId === homeRegionId);
    if (home?.connection.type !== "connected") {
      const failure = home?.lastFailure;
      const reason =
        failure === undefined ? "no relay answers" : `${failure.rung}: ${failure.message}`;
      return new NetworkError("relay", reason);
    }
    const { type } = this.#parts.peer.coordination.stateOf(this.#parts.agentId);
    if (type === "absent" || type === "waiting") {
      return new NetworkError("agent", "the agent has not joined the network");
    }
    return new NetworkError("handshake", "the agent does not answer");
  }
}

/**
 * The rung of the ladder to an agent that failed, above those of a connection to the server:
 * - `coordinator`: the server does not notify this side of the agent.
 * - `relay`: this side has no relay.
 * - `agent`: the agent has not joined the network.
 * - `handshake`: the agent is known but does not answer.
 */
export type NetworkRung = "coordinator" | "relay" | "agent" | "handshake";

/** A failure to reach an agent; names the rung of the ladder that failed. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code = "unreachable";
  /** The agent, the relay or the server may be back soon. */
  readonly retryable = true;
  readonly rung: NetworkRung;

  constructor(rung: NetworkRung, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.rung = rung;
  }
}
