import { abortable, errorText, type Logger } from "@slipway/runtime";
import { agentCoordination, type AgentConnection } from "@slipway/sdk/agent";

import type { SshSettings } from "../config/ssh-settings.ts";
import type { AgentNetwork, NetworkManifest } from "../network/agent-network.ts";
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
 * The network of one session of the agent, which is opened beside its scripts: an agent whose network cannot start runs
 * them all the same, and says so.
 */
export class NetworkLife {
  readonly #needs: NetworkLifeNeeds;
  readonly #opened = Promise.withResolvers<AgentNetwork | undefined>();
  #network: AgentNetwork | undefined;
  #isClosed = false;

  constructor(needs: NetworkLifeNeeds) {
    this.#needs = needs;
  }

  /** Opens the network for its first manifest. Call it once. */
  begin(agentId: string, manifest: NetworkManifest): void {
    if (this.#isClosed) return;
    void this.#open(agentId, manifest).then(this.#opened.resolve);
  }

  /** Takes part in the network over one connection; rejects when the connection or one of its streams is lost. */
  async run(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    const network = await abortable(this.#opened.promise, signal);
    if (network === undefined || this.#isClosed) return;
    await network.coordination.serve(agentCoordination(connection), signal);
  }

  /** Resolves to the median round trip to the active peers, in milliseconds; undefined without one that answers. */
  async medianLatency(signal: AbortSignal): Promise<number | undefined> {
    return this.#isClosed ? undefined : this.#network?.medianLatency(signal);
  }

  /** Says goodbye to the peers and ends the network. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // One that was never begun.
    this.#opened.resolve(undefined);
    const network = await this.#opened.promise;
    await network?.close();
  }

  /** Resolves to undefined if there will be no network. */
  async #open(agentId: string, manifest: NetworkManifest): Promise<AgentNetwork | undefined> {
    const { open, settings, served } = this.#needs;
    try {
      const network = await open(agentId, manifest);
      const services = await served.open({
        settings,
        ownPorts: new Set(),
        netcheck: () => network.netcheck(),
      });
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

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const { logger } = this.#needs;
    logger.error(
      { error: errorText(error) },
      "the network has failed: nobody can reach the workspace until the agent is restarted",
    );
  }
}
