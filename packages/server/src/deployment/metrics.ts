import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What Prometheus reads at `/metrics`. */
export interface Metrics {
  readonly registry: Registry;
  readonly connectedAgents: Gauge;
}

/** Metrics of one server, in a registry of its own, so that two servers in one process do not mix. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const connectedAgents = new Gauge({
    name: "slipway_agents_connected",
    help: "Agents with a session on this replica.",
    registers: [registry],
  });
  return { registry, connectedAgents };
}
