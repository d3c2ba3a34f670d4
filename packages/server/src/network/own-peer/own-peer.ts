import type { Duplex } from "node:stream";

import { abortable, errorText, type Logger } from "@slipway/runtime";
import { Counter, type Registry } from "prom-client";

import { Unavailable } from "../../platform/errors/errors.ts";
import { addGauge } from "../../platform/read-metrics.ts";
import type { OwnNetwork } from "./own-network.ts";
import { type AgentRung, UnreachableAgent } from "./unreachable-agent.ts";

/** An agent that has answered. */
interface ReachedAgent {
  /**
   * Connects to a TCP port of the agent. The stream keeps the tunnel open; the caller destroys it. Throws
   * `UnreachableAgent`, `Unavailable`, and the signal's reason.
   */
  dial(port: number, signal: AbortSignal): Promise<Duplex>;
}

/** The way from the server into workspaces. */
export interface AgentReach {
  /**
   * Waits until an agent answers. The caller has checked that the user may reach it. Throws `UnreachableAgent`, which
   * names the rung that failed, `Unavailable` if the server reaches too many, and the signal's reason.
   */
  reachAgent(agentId: string, signal: AbortSignal): Promise<ReachedAgent>;
}

/** The end of an attempt to connect to a port of an agent. */
type DialOutcome = "connected" | AgentRung;

interface OwnPeerOptions {
  /** Opens the peer: at the first need, and again after a failure. */
  readonly open: () => Promise<OwnNetwork>;
  readonly onDial: (outcome: DialOutcome) => void;
  readonly onFailure: () => void;
  readonly logger: Logger;
}

/** The server's own peer of the encrypted network. One that fails is closed, and the next need opens another. */
export class OwnPeer implements AgentReach, AsyncDisposable {
  readonly #options: OwnPeerOptions;
  #opening: Promise<OwnNetwork> | undefined;
  #network: OwnNetwork | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: OwnPeerOptions) {
    this.#options = options;
  }

  /** The agents with a tunnel, and the open connections to them. */
  get size(): OwnNetwork["size"] {
    return this.#network?.size ?? { tunnels: 0, connections: 0 };
  }

  async reachAgent(agentId: string, signal: AbortSignal): Promise<ReachedAgent> {
    await this.#counted(async () => {
      const network = await this.#find(signal);
      await network.reach(agentId, signal);
    });
    return { dial: (port, until) => this.#dial(agentId, port, until) };
  }

  /** Closes the connections to agents. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #dial(agentId: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const stream = await this.#counted(async () => {
      const network = await this.#find(signal);
      return network.dial(agentId, port, signal);
    });
    this.#options.onDial("connected");
    return stream;
  }

  async #counted<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof UnreachableAgent) this.#options.onDial(error.rung);
      throw error;
    }
  }

  /** Returns the network, and opens it if necessary. */
  async #find(signal: AbortSignal): Promise<OwnNetwork> {
    if (this.#closing !== undefined) throw new Unavailable("The server is shutting down.");
    this.#opening ??= this.#open();
    return abortable(this.#opening, signal);
  }

  async #open(): Promise<OwnNetwork> {
    try {
      const network = await this.#options.open();
      this.#network = network;
      void this.#replaceOnFailure(network);
      return network;
    } catch (error) {
      this.#opening = undefined;
      this.#options.logger.error({ error: errorText(error) }, "cannot open the network to agents");
      throw new UnreachableAgent("peer", "the server cannot open its own peer", { cause: error });
    }
  }

  async #replaceOnFailure(network: OwnNetwork): Promise<void> {
    const { logger, onFailure } = this.#options;
    try {
      await network.failed;
    } catch (error) {
      onFailure();
      logger.error({ error: errorText(error) }, "the server's own peer failed; replacing it");
      this.#opening = undefined;
      this.#network = undefined;
      await network.close().catch((failure: unknown) => {
        logger.warn({ error: errorText(failure) }, "cannot close a failed peer");
      });
    }
  }

  async #close(): Promise<void> {
    const network = await this.#opening?.catch(() => undefined);
    await network?.close();
  }
}

/** The counts that the server's own peer reports. */
interface OwnPeerCounts {
  readonly onDial: (outcome: DialOutcome) => void;
  readonly onFailure: () => void;
}

/** Adds the counters of the server's own peer. */
export function addOwnPeerCounters(registry: Registry): OwnPeerCounts {
  const dials = new Counter({
    name: "slipway_agent_dials_total",
    help: "Attempts of this server to connect to an agent by `outcome`: `connected`, or what failed: `coordinator`, `relay`, `agent` (not in the network), `handshake` (no answer), `port`, `peer` (this server's own peer).",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const failures = new Counter({
    name: "slipway_own_peer_failures_total",
    help: "Failures of this server's own peer, each of which ended its connections to agents.",
    registers: [registry],
  });
  return { onDial: (outcome) => dials.inc({ outcome }), onFailure: () => failures.inc() };
}

/** Adds the gauges of the server's own peer. */
export function addOwnPeerGauges(registry: Registry, peer: Pick<OwnPeer, "size">): void {
  addGauge(
    registry,
    "slipway_agent_tunnels",
    "Agents to which this server has a tunnel, for ports and terminals; a tunnel closes half an hour after its last use.",
    () => {
      return peer.size.tunnels;
    },
  );
  addGauge(
    registry,
    "slipway_agent_connections",
    "Open connections of this server to agents.",
    () => {
      return peer.size.connections;
    },
  );
}
