import type { SharingLevel } from "@slipway/api/agents/app";
import type { PortShare } from "@slipway/api/workspaces/port-share-routes";

/** A port that a program listens on, that is shared, or both. */
export interface AgentPort {
  readonly port: number;
  /** The program that listens; undefined if none does. */
  readonly program: string | undefined;
  readonly level: SharingLevel;
  readonly protocol: PortShare["protocol"];
}

/** Returns the ports of an agent in the order of their numbers. */
export function agentPorts(
  listening: readonly { readonly port: number; readonly process_name: string }[],
  shares: readonly PortShare[],
  agentName: string,
): readonly AgentPort[] {
  const programs = new Map(listening.map(({ port, process_name: name }) => [port, name]));
  // A template that allows less than before leaves shares for the owner alone, which are none.
  const shared = new Map(
    shares
      .filter(({ agent_name: name, share_level: level }) => name === agentName && level !== "owner")
      .map((share) => [share.port, share]),
  );
  return [...new Set([...programs.keys(), ...shared.keys()])]
    .toSorted((a, b) => a - b)
    .map((port) => ({
      port,
      program: programs.get(port),
      level: shared.get(port)?.share_level ?? "owner",
      protocol: shared.get(port)?.protocol ?? "http",
    }));
}

/** The levels, from the closest to the widest. */
const levels = ["owner", "organization", "authenticated", "public"] as const;

/** Returns the levels up to the widest that a template allows. */
export function allowedLevels(widest: SharingLevel): readonly SharingLevel[] {
  return levels.slice(0, levels.indexOf(widest) + 1);
}
