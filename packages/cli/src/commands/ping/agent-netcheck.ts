import { type Clock, withDeadline } from "@slipway/runtime";

import type { AgentPorts } from "../../resources/network/agent-ports.ts";
import type { UdpState } from "../../resources/network/network-text.ts";

/** The path of the agent's network report (docs/protocol/agent.md §8.9), and its timeout. */
const path = "/api/v0/netcheck";
const timeoutMs = 5_000;

/** The state of UDP on the agent's side, as the agent reports it. */
export type AgentUdp = Extract<UdpState, "blocked" | "hard NAT" | "easy NAT" | "open">;

interface Needs {
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/** Asks an agent for its own network check; undefined if it does not provide one. Throws the signal's reason. */
export async function readAgentUdp(
  ports: Pick<AgentPorts, "dial">,
  { clock, signal }: Needs,
): Promise<AgentUdp | undefined> {
  try {
    return await withDeadline(timeoutMs, clock, async (limit) => {
      const { readAgentJson } = await import("@slipway/sdk/workspace");
      const either = AbortSignal.any([signal, limit]);
      return agentUdpOf(await readAgentJson(ports, { path, clock, signal: either }));
    });
  } catch {
    // The report only supplements local knowledge; an agent may not serve one.
    signal.throwIfAborted();
    return undefined;
  }
}

/** Reads the state of UDP from an agent's report; undefined if it has none. */
export function agentUdpOf(report: unknown): AgentUdp | undefined {
  const info = field(report, "net_info");
  const varies = field(info, "MappingVariesByDestIP");
  switch (field(info, "WorkingUDP")) {
    case false:
      return "blocked";
    case true:
      if (typeof varies !== "boolean") return "open";
      return varies ? "hard NAT" : "easy NAT";
    default:
      return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
