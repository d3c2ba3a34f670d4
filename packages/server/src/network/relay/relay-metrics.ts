import type { Relay } from "@slipway/relay";
import type { Registry } from "prom-client";

import { addCounter, addCounterByReason, addGauge } from "../../platform/read-metrics.ts";
import type { RelayMesh } from "./relay-mesh.ts";

/** Adds the relay's metrics, read from its counters when they are scraped. */
export function addRelayMetrics(
  registry: Registry,
  relay: Pick<Relay, "counters" | "strangers">,
): void {
  const { counters } = relay;
  addGauge(
    registry,
    "slipway_relay_clients",
    "Agents and clients that this replica's relay connects.",
    () => counters.clients,
  );
  addGauge(
    registry,
    "slipway_relay_strangers",
    "Connections to this replica's relay whose keys no peer has published.",
    () => relay.strangers,
  );
  addGauge(
    registry,
    "slipway_relay_queued_bytes",
    "Bytes in this replica's relay that wait for their receivers to read.",
    () => counters.queuedBytes,
  );
  addGauge(
    registry,
    "slipway_relay_links",
    "Links to and from the relays of other replicas: two for each replica when all is well.",
    () => counters.links,
  );
  addCounter(
    registry,
    "slipway_relay_forwarded_packets_total",
    "Packets forwarded to the relays of other replicas.",
    () => counters.forwardedPackets,
  );
  addCounter(
    registry,
    "slipway_relay_packets_total",
    "Packets that agents and clients sent through this replica's relay.",
    () => counters.packets,
  );
  addCounter(
    registry,
    "slipway_relay_bytes_total",
    "Bytes of the packets that agents and clients sent through this replica's relay.",
    () => counters.packetBytes,
  );
  addCounterByReason(
    registry,
    "slipway_relay_dropped_packets_total",
    "Packets that were not delivered by `reason`: `queue_full`, as their receiver reads too slowly, or `unknown_destination`.",
    () => {
      const { queueFull, unknownDestination } = counters.droppedPackets;
      return { queue_full: queueFull, unknown_destination: unknownDestination };
    },
  );
  addCounterByReason(
    registry,
    "slipway_relay_closed_connections_total",
    "Connections that the relay closed by `reason`: `stranger`, as no peer published their key within 30 s, `too_many_strangers`, `unread_output`, `unfinished_frame`, and others.",
    () => counters.closed,
  );
}

/** Adds the number of other replicas, for comparison with that of the links. */
export function addMeshMetrics(registry: Registry, mesh: Pick<RelayMesh, "replicas">): void {
  addGauge(
    registry,
    "slipway_relay_replicas",
    "Other replicas whose relays are announced.",
    () => mesh.replicas,
  );
}
