import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { AgentPath, NetworkStatus } from "@slipway/sdk/workspace";

import {
  latencyText,
  pathText,
  type UdpState,
  udpStateOf,
  udpText,
} from "../../resources/network/network-text.ts";
import type { AgentUdp } from "./agent-netcheck.ts";

/** The relay that a side prefers. */
interface HomeRelay {
  readonly name: string;
  readonly latencyMs: number | undefined;
}

/** The known facts about the path between the two sides. */
export interface Diagnosis {
  /** Undefined if no ping was answered. */
  readonly path: AgentPath | undefined;
  readonly home: HomeRelay | undefined;
  readonly agentHome: HomeRelay | undefined;
  readonly udp: UdpState;
  /** Undefined if the agent does not report it. */
  readonly agentUdp: AgentUdp | undefined;
  /** The obstacles to a direct connection, and their remedies; empty if it is direct. */
  readonly obstacles: readonly Obstacle[];
}

export interface Obstacle {
  readonly problem: string;
  readonly advice: string;
}

interface DiagnosisFacts {
  readonly path: AgentPath | undefined;
  readonly status: NetworkStatus;
  readonly agent: Pick<WorkspaceAgent, "latency">;
  readonly agentUdp: AgentUdp | undefined;
  /** True with `--disable-direct-connections`. */
  readonly isDirectDisabled: boolean;
}

/** Diagnoses the path to an agent. */
export function diagnose(facts: DiagnosisFacts): Diagnosis {
  const { path, status, agent, agentUdp } = facts;
  const isDirect = path?.kind === "direct";
  return {
    path,
    home: homeOf(status),
    agentHome: agentHomeOf(agent),
    udp: udpStateOf(status),
    agentUdp,
    obstacles: isDirect || path === undefined ? [] : obstaclesOf(facts),
  };
}

/** Renders a diagnosis as pairs of a name and its value. */
export function diagnosisPairs(diagnosis: Diagnosis): (readonly [string, string])[] {
  const { path, home, agentHome, udp, agentUdp, obstacles } = diagnosis;
  return [
    ["Path", path === undefined ? "none, no ping was answered" : pathText(path)],
    ["Your relay", relayText(home)],
    ["Its relay", relayText(agentHome)],
    ["UDP here", udpText(udp)],
    ["UDP there", agentUdp === undefined ? "unknown, the agent does not tell" : udpText(agentUdp)],
    ...obstacles.flatMap(({ problem, advice }) => [
      ["Not direct", problem] as const,
      ["To do", advice] as const,
    ]),
  ];
}

function relayText(relay: HomeRelay | undefined): string {
  if (relay === undefined) return "unknown";
  const { name, latencyMs } = relay;
  return latencyMs === undefined ? name : `${name}, ${latencyText(latencyMs)}`;
}

function homeOf({ homeRegionId, map, latencies }: NetworkStatus): HomeRelay | undefined {
  if (homeRegionId === undefined) return undefined;
  const name = map.regions.get(homeRegionId)?.name ?? `region ${homeRegionId}`;
  return { name, latencyMs: latencies.get(homeRegionId)?.latencyMs };
}

function agentHomeOf({ latency }: Pick<WorkspaceAgent, "latency">): HomeRelay | undefined {
  const preferred = Object.entries(latency ?? {}).find(([, value]) => value.preferred);
  if (preferred === undefined) return undefined;
  const [name, { latency_ms }] = preferred;
  return { name, latencyMs: latency_ms };
}

function obstaclesOf({ status, agentUdp, isDirectDisabled }: DiagnosisFacts): readonly Obstacle[] {
  const udp = udpStateOf(status);
  if (isDirectDisabled) {
    return [
      {
        problem: "--disable-direct-connections is given",
        advice: "leave the flag and CODER_DISABLE_DIRECT_CONNECTIONS out",
      },
    ];
  }
  switch (udp) {
    case "off":
      return [
        {
          problem: "the server allows relays only",
          advice: "ask the administrator of the server",
        },
      ];
    case "unknown":
      return [
        {
          problem: "the server names no STUN servers, so neither side knows its public address",
          advice: "have the server answer STUN with SLIPWAY_STUN_ADDRESS",
        },
      ];
    case "blocked":
    case "hard NAT":
    case "easy NAT":
    case "open": {
      const found = [...obstaclesHere(udp), ...obstaclesThere(agentUdp)];
      return found.length === 0 ? [obstacleBetween(agentUdp)] : found;
    }
  }
}

function obstaclesHere(udp: AgentUdp): readonly Obstacle[] {
  switch (udp) {
    case "blocked":
      return [
        {
          problem: "UDP is blocked on this side",
          advice: "allow outgoing UDP in your firewall",
        },
      ];
    case "hard NAT":
      return [
        {
          problem: "your NAT gives each destination another port",
          advice: "use another network, or have the workspace's side accept UDP from anywhere",
        },
      ];
    case "easy NAT":
    case "open":
      return [];
  }
}

function obstaclesThere(udp: AgentUdp | undefined): readonly Obstacle[] {
  switch (udp) {
    case "blocked":
      return [
        {
          problem: "UDP is blocked on the workspace's side",
          advice: "allow outgoing UDP in the firewall before the workspace",
        },
      ];
    case "hard NAT":
      return [
        {
          problem: "the workspace's NAT gives each destination another port",
          advice:
            "fix the agent's port with CODER_AGENT_TAILNET_LISTEN_PORT and forward it to the workspace",
        },
      ];
    case "easy NAT":
    case "open":
    case undefined:
      return [];
  }
}

/** Each side alone could: the fault is between them, or one of them does not report its state. */
function obstacleBetween(agentUdp: AgentUdp | undefined): Obstacle {
  return agentUdp === undefined
    ? {
        problem: "the workspace's side is not reachable over UDP",
        advice: "allow UDP to and from the workspace in its firewall",
      }
    : {
        problem: "UDP works on both sides, but does not get from one to the other",
        advice: "allow UDP between the two networks in the firewalls of both",
      };
}
