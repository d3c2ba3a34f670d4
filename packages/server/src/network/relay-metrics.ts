import type { RelayCounters } from "@slipway/relay";
import { Counter, Gauge, type Registry } from "prom-client";

import type { RelayMesh } from "./relay-mesh/relay-mesh.ts";

/** Adds the relay's metrics, read from its counters when they are scraped. */
export function addRelayMetrics(registry: Registry, counters: Readonly<RelayCounters>): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    registry.registerMetric(metric);
  };
  const counter = (name: string, help: string, read: () => number): void => {
    const metric = new Counter({
      name,
      help,
      registers: [],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
    registry.registerMetric(metric);
  };
  gauge("slipway_relay_clients", "Clients of this replica's relay.", () => counters.clients);
  gauge(
    "slipway_relay_queued_bytes",
    "Bytes that wait in this replica's relay for clients to read.",
    () => counters.queuedBytes,
  );
  gauge(
    "slipway_relay_links",
    "Links to and from the relays of other replicas: two for each when all is well.",
    () => counters.links,
  );
  counter(
    "slipway_relay_forwarded_packets_total",
    "Packets that went on to the relays of other replicas.",
    () => counters.forwardedPackets,
  );
  counter("slipway_relay_packets_total", "Packets that clients sent.", () => counters.packets);
  counter("slipway_relay_bytes_total", "Bytes of those packets.", () => counters.packetBytes);
  const dropped = new Counter({
    name: "slipway_relay_dropped_packets_total",
    help: "Packets that were not delivered.",
    labelNames: ["reason"],
    registers: [],
    collect() {
      this.reset();
      const { queueFull, unknownDestination } = counters.droppedPackets;
      this.inc({ reason: "queue_full" }, queueFull);
      this.inc({ reason: "unknown_destination" }, unknownDestination);
    },
  });
  registry.registerMetric(dropped);
}

/** Adds the number of other replicas, for comparison with that of the links. */
export function addMeshMetrics(registry: Registry, mesh: Pick<RelayMesh, "replicas">): void {
  registry.registerMetric(
    new Gauge({
      name: "slipway_relay_replicas",
      help: "Other replicas whose relays are announced.",
      registers: [],
      collect() {
        this.set(mesh.replicas);
      },
    }),
  );
}
