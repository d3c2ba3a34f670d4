import { getConnection, getOwnConnection } from "@slipway/api/agents/connection-routes";
import { type Clock, silentLogger } from "@slipway/runtime";
import type { NetworkStatus } from "@slipway/tailnet/net/network-status";

import type { ApiClient } from "../http/client.ts";
import { loadNodePlatform } from "./connect-workspace.ts";
import { openPeer } from "./join-network.ts";

export interface CheckNetworkOptions {
  /** A client with the token of a user, or of an agent. */
  readonly client: ApiClient;
  readonly caller: "user" | "agent";
  /** Uses relays only. */
  readonly disableDirect: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The time for a whole check. */
const checkMs = 5_000;
/** The interval at which a check polls its state, and the time for STUN, whose requests to a silent server end. */
const lookMs = 20;
const stunMs = 1_600;

/**
 * Measures the network between this machine and the relays, without an agent: latencies, the connection to the nearest
 * relay, and UDP. Throws as the request for the network's settings does, and the signal's reason.
 */
export async function checkNetwork({
  client,
  caller,
  disableDirect,
  clock,
  signal,
}: CheckNetworkOptions): Promise<NetworkStatus> {
  const { serverUrl } = client;
  const settings = client.call(caller === "user" ? getConnection : getOwnConnection, { signal });
  const loading = loadNodePlatform({ client, disableDirect });
  const { peer, platform } = await openPeer(settings, loading, {
    serverUrl,
    clock,
    logger: silentLogger,
  });
  await using opened = new AsyncDisposableStack();
  opened.defer(async () => platform.socket?.close());
  opened.use(peer);
  const beganAt = clock.monotonic();
  for (;;) {
    const elapsedMs = clock.monotonic() - beganAt;
    if (isComplete(peer.status, elapsedMs) || elapsedMs > checkMs) return peer.status;
    await Promise.race([clock.sleep(lookMs, signal), peer.failed]);
  }
}

function isComplete(
  { map, homeRegionId, relays, latencies, udp }: NetworkStatus,
  elapsedMs: number,
): boolean {
  const home = relays.find(({ regionId }) => regionId === homeRegionId);
  const isRelayKnown = home?.connection.type === "connected" || home?.lastFailure !== undefined;
  const hasServers = [...map.regions.values()].some(({ nodes }) =>
    nodes.some(({ stunPort }) => stunPort !== undefined),
  );
  const isUdpKnown =
    udp === undefined || !hasServers || udp.doesMappingVary !== undefined || elapsedMs >= stunMs;
  return isRelayKnown && latencies.size > 0 && isUdpKnown;
}
