import type { DerpMap } from "@slipway/api/agents/derp-map";
import { whenAborted } from "@slipway/runtime";
import { derpMapMessage } from "@slipway/tailnet/relay/derp-map-message";
import type { DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";

/** Returns the current relays, in an object that stays the same while they do. */
export type ReadDerpMap = () => DerpMap;

/** The number of the region of this deployment's relay (docs/protocol/tailnet.md §3.2). */
const regionId = 999;
/** The port that means that a node has no STUN. */
const noStunPort = -1;

/**
 * Returns the map whose one region is this server's relay at the access URL. Clients replace host and port by those of
 * their own URL of the server (docs/protocol/tailnet.md §3.3).
 */
export function relayMap(accessUrl: string, stunPort: number | undefined): DerpMap {
  const { protocol, hostname, port } = new URL(accessUrl);
  const isHttp = protocol === "http:";
  const node = {
    Name: `${regionId}b`,
    RegionID: regionId,
    HostName: hostname.replace(/^\[|\]$/g, ""),
    STUNPort: stunPort ?? noStunPort,
    DERPPort: Number(port) || (isHttp ? 80 : 443),
    ...(isHttp ? { ForceHTTP: true } : {}),
  };
  return {
    Regions: {
      [regionId]: {
        EmbeddedRelay: true,
        RegionID: regionId,
        RegionCode: "slipway",
        RegionName: "Slipway Relay",
        Nodes: [node],
      },
    },
  };
}

/** Returns a reader of the map of this server's relay, which is the same object until the address or the port changes. */
export function readRelayMap(
  accessUrl: () => string,
  stunPort: () => number | undefined,
): ReadDerpMap {
  let last: { readonly of: string; readonly map: DerpMap } | undefined;
  return () => {
    const [url, port] = [accessUrl(), stunPort()];
    const of = `${url} ${port}`;
    if (last?.of !== of) last = { of, map: relayMap(url, port) };
    return last.map;
  };
}

/** The message of each map, shared by all sessions: an object with a number such as 999 as its key takes 12 KB. */
const messages = new WeakMap<DerpMap, DERPMap>();

/** Returns the shared message of a map; do not change it. */
export function sharedDerpMapMessage(map: DerpMap): DERPMap {
  const message = messages.get(map) ?? derpMapMessage(map);
  messages.set(map, message);
  return message;
}

/** Yields the map immediately and keeps the stream open, because its end would make the peer reconnect. */
export async function* streamDerpMaps(
  readDerpMap: ReadDerpMap,
  signal: AbortSignal,
): AsyncGenerator<DERPMap, void, undefined> {
  yield sharedDerpMapMessage(readDerpMap());
  await whenAborted(signal);
}
