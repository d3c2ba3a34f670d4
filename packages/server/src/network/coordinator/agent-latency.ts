import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { DerpMap } from "@slipway/api/agents/derp-map";
import type { Node } from "@slipway/wire/protobuf/gen/tailnet_pb";

export type AgentLatency = NonNullable<WorkspaceAgent["latency"]>;

/** The most regions in the answer to clients. */
const maxRegions = 64;

/**
 * Returns the latencies that an agent measured, by the name of the region (docs/protocol/rest.md §6.1). What no stock
 * agent sends is left out.
 */
export function agentLatency(
  { derpLatency, preferredDerp }: Pick<Node, "derpLatency" | "preferredDerp">,
  { Regions }: DerpMap,
): AgentLatency {
  const fastest = new Map<number, number>();
  for (const [key, seconds] of Object.entries(derpLatency)) {
    const [digits = ""] = key.split("-");
    if (!/^\d{1,5}$/.test(digits) || !Number.isFinite(seconds) || seconds < 0) continue;
    const region = Number(digits);
    fastest.set(region, Math.min(seconds, fastest.get(region) ?? Number.POSITIVE_INFINITY));
  }
  return Object.fromEntries(
    [...fastest]
      .slice(0, maxRegions)
      .map(([region, seconds]) => [
        Regions[region]?.RegionName ?? `Unnamed ${region}`,
        { preferred: region === preferredDerp, latency_ms: seconds * 1000 },
      ]),
  );
}
