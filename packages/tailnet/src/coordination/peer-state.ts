import { coordinationTimes as times } from "./limits.ts";
import type { PeerNode } from "./peer-node.ts";

/*
 *   absent --node--> waiting --ready, 5 s--> installed --lost--> lost --node--> installed
 *   absent --node of one that is ready, or no destination--> installed
 *   any --disconnected--> absent        lost --15 min since the last handshake--> absent
 *   lost --gone, 30 s--> probed --silent--> absent        probed --answered, 30 s--> probed
 */
export type PeerState =
  | { readonly type: "absent" }
  /** A destination that has not yet reported ready for our handshake. */
  | { readonly type: "waiting"; readonly node: PeerNode; readonly until: number }
  | ({ readonly type: "installed" } & InstalledPeer)
  /** A lost peer still works, and may come back. */
  | ({ readonly type: "lost" } & LostTimes & InstalledPeer);

interface LostTimes {
  readonly removeAt: number;
  /** The time at which to probe a peer that is gone; "asked" until the outcome is known. */
  readonly probe: number | "asked" | undefined;
}

export interface InstalledPeer {
  readonly node: PeerNode;
  readonly keepaliveMs: number | undefined;
  /** The time of the newest handshake with this node. */
  readonly handshakeAt: number | undefined;
}

/** The known facts about one peer. */
export interface PeerEntry {
  readonly id: string;
  /** True if this side asked for the tunnel, so that it starts the handshake. */
  isDestination: boolean;
  /** True if the peer reported ready, which may come before its node. */
  isReady: boolean;
  state: PeerState;
}

export const absent: PeerState = { type: "absent" };

/** Returns the state of a lost peer whose latest handshake was at `handshakeAt`. */
export function lostState(
  { node, keepaliveMs }: InstalledPeer,
  handshakeAt: number,
  probe: LostTimes["probe"],
): PeerState {
  const removeAt = handshakeAt + times.lostMs;
  return { type: "lost", node, keepaliveMs, handshakeAt, removeAt, probe };
}

/** Returns the time at which a peer is due without any news of it. */
export function wakeOf(state: PeerState): number | undefined {
  switch (state.type) {
    case "absent":
    case "installed":
      return undefined;
    case "waiting":
      return state.until;
    case "lost":
      return typeof state.probe === "number"
        ? Math.min(state.removeAt, state.probe)
        : state.removeAt;
  }
}
