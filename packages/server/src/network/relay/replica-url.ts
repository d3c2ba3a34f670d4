import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

import type { ListenAddress } from "../../platform/config/address-settings.ts";

/** Returns the URL at which other replicas reach a listener: its address, or the first one that others may reach. */
export function replicaUrl(
  { host }: Pick<ListenAddress, "host">,
  port: number,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string {
  const isAny = host === "0.0.0.0" || host === "::";
  const address = isAny ? (firstOutside(interfaces) ?? "127.0.0.1") : host;
  return `http://${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}

/** Returns whether a URL is reached on its own machine only. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

function firstOutside(interfaces: ReturnType<typeof networkInterfaces>): string | undefined {
  const outside = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const first = outside.find(({ family }) => family === "IPv4") ?? outside[0];
  return first?.address;
}
