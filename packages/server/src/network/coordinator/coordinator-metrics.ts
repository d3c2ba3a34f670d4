import type { Registry } from "prom-client";

import { addCounter, addGauge } from "../../platform/read-metrics.ts";
import type { CoordinatorCounters } from "./coordinator.ts";

/** Adds the coordinator's metrics, counted when they are scraped. */
export function addCoordinatorMetrics(registry: Registry, read: () => CoordinatorCounters): void {
  addGauge(
    registry,
    "slipway_coordinator_peers",
    "Agents and clients that this replica coordinates.",
    () => read().peers,
  );
  addGauge(
    registry,
    "slipway_coordinator_tunnels",
    "Tunnels that this replica's clients opened to agents.",
    () => read().tunnels,
  );
  addCounter(
    registry,
    "slipway_coordinator_updates_total",
    "Updates about other peers that this replica sent to agents and clients.",
    () => read().updates,
  );
}
