import type { Duplex } from "node:stream";

import { abortable, type Clock, errorText, Scope, withDeadline } from "@slipway/runtime";
import type { CoordinationState } from "@slipway/tailnet/coordination/coordination-loop";
import type { TailnetPeer } from "@slipway/tailnet/net/tailnet-peer";
import { toDuplex } from "@slipway/tailnet/node/duplex";
import { StackError } from "@slipway/tailnet/stack/errors";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import { TcpError } from "@slipway/wire/tcp/events";

import { Unavailable } from "../../platform/errors/errors.ts";
import { AgentTunnels } from "./agent-tunnels.ts";
import { ReachedAgents } from "./reached-agents.ts";
import { UnreachableAgent } from "./unreachable-agent.ts";

/** The parts of the server's own peer, which it owns from then on. */
export interface OwnNetworkParts {
  readonly peer: TailnetPeer;
  readonly clock: Clock;
  /** Connects the peer to the coordinator until the signal; takes updates only of agents that are `isWanted`. */
  readonly coordinate: (
    isWanted: (agentId: string) => boolean,
    onState: (state: CoordinationState) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Closes the socket of the peer, after the peer. */
  readonly closeSocket: () => Promise<void>;
}

/** The maximum number of agents with a tunnel: as many as a peer may know. */
const maxTunnels = 4096;
/** The time after which an unused tunnel is closed (docs/protocol/tailnet.md §2.3). */
const idleMs = 30 * 60_000;
/**
 * The times for an agent to become known, including the wait for one that never says that it is ready
 * (docs/protocol/tailnet.md §2.6), to answer, and to accept a connection to a port.
 */
const joinTimeoutMs = 6_000;
const reachTimeoutMs = 15_000;
const connectTimeoutMs = 10_000;
/** The time without a segment after which an agent is asked whether it is still there, so that no terminal hangs. */
const keepAlive = { idleMs: 60_000, intervalMs: 15_000, probes: 4 } as const;

/** The server as a peer of the network, with its own keys, from its opening to its failure or the server's end. */
export class OwnNetwork implements AsyncDisposable {
  readonly #parts: OwnNetworkParts;
  readonly #tunnels: AgentTunnels;
  readonly #reached: ReachedAgents;
  readonly #scope = new Scope();
  #coordination: CoordinationState = { type: "connecting", error: undefined };

  constructor(parts: OwnNetworkParts) {
    const { peer, clock, coordinate } = parts;
    this.#parts = parts;
    this.#reached = new ReachedAgents({ clock, ask: (agentId) => this.#ask(agentId) });
    this.#tunnels = new AgentTunnels({
      clock,
      maxTunnels,
      idleMs,
      open: (agentId) => peer.coordination.addDestination(agentId),
      close: (agentId) => {
        this.#reached.forget(agentId);
        peer.coordination.removeDestination(agentId);
      },
    });
    const isWanted = (agentId: string): boolean => this.#tunnels.has(agentId);
    const onState = (state: CoordinationState): void => void (this.#coordination = state);
    this.#scope.run((signal) => coordinate(isWanted, onState, signal));
    this.#scope.run((signal) => this.#tunnels.run(signal));
    this.#scope.run((signal) => abortable(peer.failed, signal));
  }

  /** Rejects if the peer itself has failed, after which it reaches no one; never resolves. */
  get failed(): Promise<never> {
    return this.#scope.failed;
  }

  /** The agents with a tunnel, and the open connections to them. */
  get size(): { readonly tunnels: number; readonly connections: number } {
    return { tunnels: this.#tunnels.size, connections: this.#parts.peer.stack.connections };
  }

  /** Waits until an agent answers. Throws `UnreachableAgent`, `Unavailable`, and the signal's reason. */
  async reach(agentId: string, signal: AbortSignal): Promise<void> {
    using _ = this.#useTunnel(agentId);
    await this.#reached.reach(agentId, signal);
  }

  /** Connects to a port of an agent; the stream keeps the tunnel open. Throws as `reach` does. */
  async dial(agentId: string, port: number, signal: AbortSignal): Promise<Duplex> {
    using held = new DisposableStack();
    held.use(this.#useTunnel(agentId));
    const address = await this.#reached.reach(agentId, signal);
    const stream = await this.#connect(agentId, { address, port }, signal);
    this.#reached.note(agentId);
    stream.setKeepAlive(keepAlive);
    const use = held.move();
    void stream.closed.then(() => use.dispose());
    return toDuplex(stream);
  }

  /** Says goodbye and closes everything, connections to agents first. Idempotent. */
  async close(): Promise<void> {
    const { peer, closeSocket } = this.#parts;
    await peer.close();
    await this.#scope.close();
    await closeSocket();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #useTunnel(agentId: string): Disposable {
    const use = this.#tunnels.use(agentId);
    if (use !== undefined) return use;
    throw new Unavailable("The server reaches too many workspaces at once.", {
      detail: `At most ${maxTunnels} agents are reached at a time; try again later.`,
    });
  }

  async #ask(agentId: string): Promise<Uint8Array> {
    const { peer } = this.#parts;
    using _ = this.#useTunnel(agentId);
    // An agent that left may be back, but its tunnel is gone.
    if (peer.coordination.stateOf(agentId).type === "absent") {
      peer.coordination.addDestination(agentId);
    }
    // The wait for an agent that is not on the network is shorter.
    await this.#within(
      joinTimeoutMs,
      (signal) => peer.coordination.installed(agentId, signal),
      () => this.#explain(agentId),
    );
    return await this.#within(
      reachTimeoutMs,
      (signal) => peer.reach(agentId, signal),
      () => this.#explain(agentId),
    );
  }

  async #connect(
    agentId: string,
    remote: { readonly address: Uint8Array; readonly port: number },
    signal: AbortSignal,
  ): Promise<TcpStream> {
    const { stack } = this.#parts.peer;
    try {
      return await this.#within(
        connectTimeoutMs,
        (limit) => stack.connect(remote, { signal: AbortSignal.any([signal, limit]) }),
        () => new UnreachableAgent("handshake", "it does not answer"),
      );
    } catch (error) {
      signal.throwIfAborted();
      const isAlive = error instanceof TcpError && error.code === "refused";
      if (!isAlive) this.#reached.forget(agentId);
      throw dialError(error, remote.port);
    }
  }

  /** Runs a task until its result, the time, or the end of the network. */
  async #within<T>(
    ms: number,
    task: (signal: AbortSignal) => Promise<T>,
    explain: () => UnreachableAgent,
  ): Promise<T> {
    const ended = this.#scope.signal;
    return withDeadline(ms, this.#parts.clock, async (limit) => {
      try {
        return await task(AbortSignal.any([limit, ended]));
      } catch (error) {
        if (ended.aborted) throw new UnreachableAgent("peer", "the server's own peer has ended");
        throw limit.aborted ? explain() : error;
      }
    });
  }

  /** Finds the lowest rung to an agent that fails. */
  #explain(agentId: string): UnreachableAgent {
    const { peer } = this.#parts;
    if (this.#coordination.type === "connecting") {
      const { error } = this.#coordination;
      const reason = error === undefined ? "the coordinator does not answer" : errorText(error);
      return new UnreachableAgent("coordinator", reason, { cause: error });
    }
    const { homeRegionId, relays } = peer.status;
    const home = relays.find(({ regionId }) => regionId === homeRegionId);
    if (home?.connection.type !== "connected") {
      const reason = home?.lastFailure?.message ?? "no relay answers";
      return new UnreachableAgent("relay", reason);
    }
    const { type } = peer.coordination.stateOf(agentId);
    return type === "absent" || type === "waiting"
      ? new UnreachableAgent("agent", "it has not joined the network")
      : new UnreachableAgent("handshake", "it does not answer");
  }
}

/** Returns the error of a connection that was not made. */
function dialError(error: unknown, port: number): unknown {
  if (error instanceof TcpError) {
    const reason = `connection to port ${port}: ${error.message}`;
    return new UnreachableAgent("port", reason, { cause: error });
  }
  if (error instanceof StackError && error.retryable) {
    return new Unavailable("The server has too many connections to workspaces.", { cause: error });
  }
  return error;
}
