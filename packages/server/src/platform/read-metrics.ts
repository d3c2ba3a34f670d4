import { Counter, Gauge, type Registry } from "prom-client";

/** Adds a gauge whose value is read when it is scraped. */
export function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const collect = (): void => metric.set(read());
  const metric: Gauge = new Gauge({ name, help, registers: [registry], collect });
}

/** Adds a counter whose value, which never falls, is read when it is scraped. */
export function addCounter(
  registry: Registry,
  name: string,
  help: string,
  read: () => number,
): void {
  const collect = (): void => {
    metric.reset();
    metric.inc(read());
  };
  const metric: Counter = new Counter({ name, help, registers: [registry], collect });
}

/** Adds a counter for each of several reasons, by name; the counts are read when they are scraped. */
export function addCounterByReason(
  registry: Registry,
  name: string,
  help: string,
  read: () => Readonly<Record<string, number>>,
): void {
  const collect = (): void => {
    metric.reset();
    for (const [reason, count] of Object.entries(read())) {
      metric.inc({ reason: reason.replaceAll("-", "_") }, count);
    }
  };
  const labelNames = ["reason"];
  const metric: Counter = new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect,
  });
}
