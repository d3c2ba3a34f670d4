import type { Clock, Logger } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { CoordinateRequest, CoordinateResponseSchema, Node } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { holderPrefixes } from "../../features/agents/connection-log/holders.ts";
import type { ReadDerpMap } from "../../features/agents/derp-map.ts";
import type { AgentCaller } from "../../platform/http/caller.ts";
import { agentLatency } from "./agent-latency.ts";
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
  { agent, reserve, logger }: AgentSession,
  requests: AsyncIterable<CoordinateRequest>,
  signal: AbortSignal,
): AsyncIterable<MessageInitShape<typeof CoordinateResponseSchema>> {
  const peer = {
    id: agent.agentId,
    // The agents of later builds run in the same place, and may keep their keys.
    holder: `${holderPrefixes.workspace}${agent.workspaceId}`,
    keyId: undefined,
    ip: undefined,
    policy: agentPolicy(agent.agentId),
    recall: undefined,
    latencyOf: (node: Node) => agentLatency(node, needs.readDerpMap()),
    leaving: async () => "lost" as const,
    reserve,
    logger,
  };
  return coordinate(needs, peer, requests, signal);
}
