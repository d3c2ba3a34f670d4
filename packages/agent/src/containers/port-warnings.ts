import type { Container } from "./container.ts";

/** The maximum number of warnings about ports. */
const maxWarnings = 16;
const maxNames = 8;

/**
 * Returns a warning for each port of the machine that several running containers publish at different addresses: one
 * connection to it does not reach them all.
 */
export function portWarnings(containers: readonly Container[]): readonly string[] {
  const namesByPort = new Map<number, Set<string>>();
  for (const { name, running, ports } of containers) {
    if (!running) continue;
    for (const { host_port: port, host_ip: address } of ports) {
      if (port === undefined || address === undefined) continue;
      const names = namesByPort.get(port) ?? new Set();
      namesByPort.set(port, names.add(name));
    }
  }
  const shared = [...namesByPort].filter(([, names]) => names.size > 1);
  return shared
    .slice(0, maxWarnings)
    .map(
      ([port, names]) =>
        `several containers publish port ${port}: ${[...names].slice(0, maxNames).join(", ")}`,
    );
}
