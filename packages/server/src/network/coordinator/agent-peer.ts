import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { DerpMap } from "@slipway/api/agents/derp-map";
import type { Clock, Logger } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  CoordinateRequest,
  CoordinateResponseSchema,
  Node,
} from "@slipway/wire/protobuf/gen/tailnet_pb";

import { holderPrefixes } from "../../features/agents/connections/visits.ts";
import type { ReadDerpMap } from "../../features/agents/manifest/derp-map.ts";
import type { AgentCaller } from "../../platform/http/caller.ts";
import { coordinate, type CoordinatedPeer } from "./coordinate.ts";
import type { Coordinator } from "./coordinator.ts";
import { agentPolicy } from "./peer-policy.ts";

interface AgentPeerNeeds {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  readonly readDerpMap: ReadDerpMap;
}

/** A session of an agent. */
interface AgentSession {
  readonly agent: AgentCaller;
  readonly reserve: CoordinatedPeer["reserve"];
  readonly logger: Logger;
}

/** Serves an agent as a peer of the network. */
export function coordinateAgentPeer(
  needs: AgentPeerNeeds,
  session: AgentSession,
  requests: AsyncIterable<CoordinateRequest>,
  signal: AbortSignal,
): AsyncIterable<MessageInitShape<typeof CoordinateResponseSchema>> {
  const { agent, reserve } = session;
  const peer = {
    id: agent.agentId,
    // The agents of later builds run in the same place, and may keep their keys.
    holder: `${holderPrefixes.workspace}${agent.workspaceId}`,
    keyId: undefined,
    ip: undefined,
    policy: agentPolicy(agent.agentId),
    recall: undefined,
    latencyOf: (node: Node) => agentLatency(node, needs.readDerpMap()),
    leaving: leavesLost,
    reserve,
    // Read only when there is something to log: the session creates its logger then.
    log: () => session.logger,
  };
  return coordinate(needs, peer, requests, signal);
}

async function leavesLost(): Promise<"lost"> {
  return "lost";
}

type AgentLatency = NonNullable<WorkspaceAgent["latency"]>;

/** The maximum number of regions in the answer to clients. */
const maxRegions = 64;

/**
 * Returns the latencies that an agent measured, by the name of the region (docs/protocol/rest.md §6.1). Leaves out
 * values that no stock agent sends.
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
