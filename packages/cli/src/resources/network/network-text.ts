import type { AgentPath, NetworkStatus } from "@slipway/sdk/workspace";

/** Describes a path in one phrase: `direct via 192.0.2.1:41641`. */
export function pathText(path: AgentPath): string {
  switch (path.kind) {
    case "direct":
      return `direct via ${path.address}`;
    case "relay":
      return `through the relay ${path.regionName}`;
  }
}

/** Returns a path as JSON. */
export function pathJson(path: AgentPath): Readonly<Record<string, string | number>> {
  switch (path.kind) {
    case "direct":
      return { kind: "direct", address: path.address };
    case "relay":
      return { kind: "relay", region_id: path.regionId, region_name: path.regionName };
  }
}

/** Rounds milliseconds to microseconds for JSON; further digits are noise of the clock. */
export function latencyJson(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 1_000) / 1_000;
}

/** Formats milliseconds with a suitable precision: `0.84 ms`, `12.3 ms`, `120 ms`. */
export function latencyText(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/** The state of UDP on this side, which decides whether direct paths are possible. */
export type UdpState =
  /** Only relays are used, by a flag or the server's settings. */
  | "off"
  /** The relays' map has no STUN server. */
  | "unknown"
  /** No STUN server answered. */
  | "blocked"
  /** The NAT gives every destination another port, so that peers cannot send to the one that STUN saw. */
  | "hard NAT"
  | "easy NAT"
  /** Only one STUN server answered: the kind of NAT is unknown. */
  | "open";

/** Classifies the findings of STUN. */
export function udpStateOf({ udp, map }: Pick<NetworkStatus, "udp" | "map">): UdpState {
  if (udp === undefined) return "off";
  const isAsked = [...map.regions.values()].some(({ nodes }) =>
    nodes.some(({ stunPort }) => stunPort !== undefined),
  );
  if (!isAsked) return "unknown";
  if (!udp.hasIpv4 && !udp.hasIpv6) return "blocked";
  if (udp.doesMappingVary === undefined) return "open";
  return udp.doesMappingVary ? "hard NAT" : "easy NAT";
}

/** Describes the state in one phrase. */
export function udpText(state: UdpState): string {
  switch (state) {
    case "off":
      return "not used";
    case "unknown":
      return "not tested, the server names no STUN servers";
    case "blocked":
      return "blocked: no STUN server answers";
    case "hard NAT":
      return "works, behind a NAT that gives each destination another port";
    case "easy NAT":
      return "works, and peers can reach the port that STUN sees";
    case "open":
      return "works; the kind of NAT is not known, as one STUN server answered";
  }
}
