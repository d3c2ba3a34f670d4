import type { RelayCounters } from "@slipway/relay";
import { Counter, Gauge, type Registry } from "prom-client";

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
