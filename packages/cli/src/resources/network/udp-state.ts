import type { NetworkStatus } from "@slipway/sdk/workspace";

/** The state of UDP on this side, which decides whether direct paths are possible. */
export type UdpState =
  /** Only relays are used, by a flag or the server's settings. */
  | "off"
  /** The relays' map has no STUN server. */
  | "unknown"
  /** No STUN server answered. */
  | "blocked"
  /** The NAT gives every destination another port, so that no peer can send to the one that STUN saw. */
  | "hard NAT"
  | "easy NAT"
  /** A STUN server answered, but only one: the kind of NAT is not known. */
  | "open";

/** Classifies what STUN found out. */
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
