import type { PeerNode } from "./peer-node.ts";

/** An action on the tunnel and its paths; actions must be carried out in order. */
export type PeerAction =
  /** Configures a peer, or changes its configuration; the node key stays the same. */
  | {
      readonly type: "install";
      readonly id: string;
      readonly node: PeerNode;
      readonly keepaliveMs: number | undefined;
    }
  /** Does the same after the peer's session and paths are forgotten: another process has taken over its key. */
  | {
      readonly type: "reset";
      readonly id: string;
      readonly node: PeerNode;
      readonly keepaliveMs: number | undefined;
    }
  | {
      readonly type: "remove";
      readonly id: string;
      readonly node: PeerNode;
      /** True if its process has ended, it said goodbye, or its access was revoked: its connections end too. */
      readonly isGone: boolean;
    };

/** An outcome of a `PeerMap`. */
export type PeerOutcome =
  | PeerAction
  /** Tells a peer, through the coordinator, that its node is installed here. */
  | { readonly type: "say-ready"; readonly id: string }
  /** Probes a peer over the tunnel; the outcome is the event "answered" or "silent". */
  | { readonly type: "probe"; readonly id: string; readonly node: PeerNode }
  /** Logs an update that was ignored. */
  | { readonly type: "drop"; readonly id: string; readonly reason: string };
