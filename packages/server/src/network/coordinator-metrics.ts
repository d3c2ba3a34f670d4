import { Counter, Gauge, type Registry } from "prom-client";

import type { CoordinatorCounters } from "./coordinator/coordinator.ts";

/** Adds the coordinator's metrics, counted when they are scraped. */
export function addCoordinatorMetrics(registry: Registry, read: () => CoordinatorCounters): void {
  registry.registerMetric(
    new Gauge({
      name: "slipway_coordinator_peers",
      help: "Agents and clients that this replica coordinates.",
      registers: [],
      collect() {
        this.set(read().peers);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "slipway_coordinator_tunnels",
      help: "Tunnels that clients of this replica opened.",
      registers: [],
      collect() {
        this.set(read().tunnels);
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: "slipway_coordinator_updates_total",
      help: "Updates about other peers that this replica sent.",
      registers: [],
      collect() {
        this.reset();
        this.inc(read().updates);
      },
    }),
  );
}
