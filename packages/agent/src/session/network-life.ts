import { abortable, errorText, type Logger } from "@slipway/runtime";
import { agentCoordination, type AgentConnection } from "@slipway/sdk/agent";

import type { SshSettings } from "../config/ssh-settings.ts";
import type { AgentNetwork, NetworkManifest } from "../network/agent-network.ts";
import type { WorkspaceServices } from "../services/workspace-services.ts";
import type { ServedSessions } from "./served-sessions.ts";

/** Opens the agent's addresses in the network. Rejects if they cannot be opened. */
export type OpenNetwork = (agentId: string, manifest: NetworkManifest) => Promise<AgentNetwork>;

export interface NetworkLifeNeeds {
  readonly open: OpenNetwork;
  readonly settings: SshSettings;
  readonly served: ServedSessions;
  readonly logger: Logger;
}

/**
 * The network of a session, which is opened beside its scripts: if the network cannot start, the agent logs that and runs them
 * all the same.
 *
 *             begin              follow: another id of the agent
 *     waiting ─────► open ──────────────────────────────────────► open, at that agent's addresses
 */
export class NetworkLife {
  readonly #needs: NetworkLifeNeeds;
  /** The services that every network of the session serves. */
  #services: Promise<WorkspaceServices | undefined> | undefined;
  #agentId: string | undefined;
  #opened = Promise.withResolvers<AgentNetwork | undefined>();
  #network: AgentNetwork | undefined;
  #isClosed = false;

  constructor(needs: NetworkLifeNeeds) {
    this.#needs = needs;
  }

  /** Opens the network for its first manifest. Call it once. */
  begin(agentId: string, manifest: NetworkManifest): void {
    if (this.#isClosed) return;
    this.#agentId = agentId;
    void this.#open(agentId, manifest).then(this.#opened.resolve);
  }

  /**
   * Moves to the addresses of another agent: a machine's agent outlives the builds of its workspace, each of which
   * has its own agent, and no server admits an agent to the network at another's address.
   */
  follow(agentId: string, manifest: NetworkManifest): void {
    if (this.#isClosed || this.#agentId === undefined || this.#agentId === agentId) return;
    this.#agentId = agentId;
    const { promise: before } = this.#opened;
    this.#opened = Promise.withResolvers();
    const move = async (): Promise<AgentNetwork | undefined> => {
      const network = await before;
      this.#network = undefined;
      await network?.close();
      return this.#open(agentId, manifest);
    };
    void move().then(this.#opened.resolve);
  }

  /** Takes part in the network over a connection. Rejects when the connection or one of its streams is lost. */
  async run(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    const network = await abortable(this.#opened.promise, signal);
    if (network === undefined || this.#isClosed) return;
    await network.coordination.serve(agentCoordination(connection), signal);
  }

  /** Resolves to the median round trip to the active peers, in milliseconds; undefined if none answers. */
  async medianLatency(signal: AbortSignal): Promise<number | undefined> {
    return this.#isClosed ? undefined : this.#network?.medianLatency(signal);
  }

  /** Says goodbye to the peers and ends the network. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // The network may never have begun.
    this.#opened.resolve(undefined);
    const network = await this.#opened.promise;
    await network?.close();
  }

  /** Resolves to undefined if there will be no network. */
  async #open(agentId: string, manifest: NetworkManifest): Promise<AgentNetwork | undefined> {
    try {
      const network = await this.#needs.open(agentId, manifest);
      this.#services ??= this.#openServices();
      const services = await this.#services;
      if (services !== undefined && !this.#isClosed) {
        network.serve(services);
        network.failed.catch((error: unknown) => this.#failed(error));
        this.#network = network;
        return network;
      }
      await network.close();
    } catch (error) {
      this.#failed(error);
    }
    return undefined;
  }

  #openServices(): Promise<WorkspaceServices | undefined> {
    const { settings, served } = this.#needs;
    const present = async (): Promise<AgentNetwork> => {
      const network = await this.#opened.promise;
      if (network === undefined) throw new Error("the agent has left the network");
      return network;
    };
    return served.open({
      settings,
      ownPorts: new Set(),
      netcheck: async () => (await present()).netcheck(),
      ping: async (address, signal) => (await present()).ping(address, signal),
    });
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const { logger } = this.#needs;
    logger.error(
      { error: errorText(error) },
      "the network has failed: the workspace is unreachable until the agent is restarted",
    );
  }
}
