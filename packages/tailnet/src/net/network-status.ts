import type { UdpReport } from "../path/stun-client.ts";
import type { DerpMap } from "../relay/derp-map.ts";
import type { LatencyReport } from "../relay/region-latency.ts";
import type { RelayStatus } from "../relay/relay-client.ts";

/** The state of this side of the network, for diagnostics. */
export interface NetworkStatus {
  readonly map: DerpMap;
  readonly homeRegionId: number | undefined;
  readonly relays: readonly RelayStatus[];
  /** The latest measurement of the regions. */
  readonly latencies: LatencyReport;
  /** The findings of STUN; undefined if only relays are used. */
  readonly udp: UdpReport | undefined;
}
