import type { Registry } from "prom-client";

import { OpenCounts } from "../../../platform/http/open-counts.ts";
import { addGauge } from "../../../platform/read-metrics.ts";

/** The most requests of one agent that wait for its owner to log in, on one replica. */
const maxLogInWaitsPerAgent = 8;

/** The requests of agents that wait for their owners to log in to a provider. */
export class LogInWaits {
  readonly #counts = new OpenCounts({ perAddress: maxLogInWaitsPerAgent, inAll: Infinity });

  constructor(registry: Registry) {
    addGauge(
      registry,
      "slipway_external_auth_waits",
      "Requests of agents to this replica that wait for their owner to log in to a provider.",
      () => this.#counts.size,
    );
  }

  /** Holds a place until the result is disposed of; undefined if the agent has no more. */
  hold(agentId: string): Disposable | undefined {
    const taken = this.#counts.take(agentId);
    return typeof taken === "string" ? undefined : taken;
  }
}
