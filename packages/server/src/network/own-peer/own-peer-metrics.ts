import { Counter, type Registry } from "prom-client";

import { addGauge } from "../../platform/read-metrics.ts";
import type { DialOutcome, OwnPeer } from "./own-peer.ts";

/** The counts that the server's own peer reports. */
export interface OwnPeerCounts {
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
