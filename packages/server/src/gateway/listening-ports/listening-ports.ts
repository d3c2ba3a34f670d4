import type { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import type { ResponseOf } from "@slipway/api/contract/route";

import { Unreachable } from "../../platform/errors/errors.ts";

type ListeningPort = ResponseOf<typeof getListeningPorts>["ports"][number];

/** Ports below are the agent's own on the network (docs/protocol/tailnet.md §1.5). */
const firstUserPort = 9;
const lastPort = 65_535;
/** The ports of services that no one opens in a browser (docs/protocol/rest.md §6.4). */
const hiddenPorts: ReadonlySet<number> = new Set([
  20, 21, 22, 23, 25, 53, 110, 143, 179, 389, 465, 587, 636, 989, 990, 993, 995, 3306, 3389, 5432,
  27017, 27018, 27019, 28017,
]);
/** The maximum number of characters of a process's name; those of Linux have 15. */
const maxNameLength = 64;

/** Parses the agent's list; each port once, in its order. Throws `Unreachable`. */
export function parseListeningPorts(answer: unknown): readonly ListeningPort[] {
  const ports = isObject(answer) ? answer["ports"] : undefined;
  if (!Array.isArray(ports)) throw malformed("there is no list of ports");
  const byNumber = new Map<number, ListeningPort>();
  for (const item of ports) {
    const port = parsePort(item);
    if (!byNumber.has(port.port)) byNumber.set(port.port, port);
  }
  return [...byNumber.values()];
}

function parsePort(item: unknown): ListeningPort {
  if (!isObject(item)) throw malformed("a port is not an object");
  const { port, process_name: name } = item;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > lastPort) {
    throw malformed("a port is not a number of 16 bits");
  }
  if (typeof name !== "string") throw malformed("a port has no process name");
  return { process_name: name.slice(0, maxNameLength), network: "tcp", port };
}

/** Returns the ports that a user may want to open, without those of the agent's apps, which have names. */
export function visiblePorts(
  ports: readonly ListeningPort[],
  appUrls: readonly string[],
): ListeningPort[] {
  const ofApps = new Set(appUrls.map((url) => URL.parse(url)?.port ?? ""));
  return ports.filter(
    ({ port }) => port >= firstUserPort && !hiddenPorts.has(port) && !ofApps.has(String(port)),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function malformed(detail: string): Unreachable {
  return new Unreachable("The agent's answer is malformed.", { detail });
}
