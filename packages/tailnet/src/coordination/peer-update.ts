import { parseUuid } from "@slipway/wire/bytes/uuid";
import type {
  CoordinateResponse,
  CoordinateResponse_PeerUpdate as WireUpdate,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { CoordinateResponse_PeerUpdate_Kind as Kind } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { type PeerNode, readPeerNode } from "./peer-node.ts";

/** An update of one peer, by the id under which the coordinator knows it. */
export type PeerUpdate =
  | { readonly type: "node"; readonly id: string; readonly node: PeerNode }
  | { readonly type: "disconnected"; readonly id: string }
  | {
      readonly type: "lost";
      readonly id: string;
      /** True if the peer closed its connection itself, as a process that has ended does. */
      readonly isGone: boolean;
    }
  | { readonly type: "ready"; readonly id: string };

/** The reason of LOST for a peer that closed its connection itself (docs/protocol/tailnet.md §2.9). */
export const goneReason = "gone";

/** An update that was not understood; `id` is empty if the id itself was malformed. */
export interface DroppedUpdate {
  readonly id: string;
  readonly reason: string;
}

export interface ReadUpdates {
  readonly updates: readonly PeerUpdate[];
  readonly dropped: readonly DroppedUpdate[];
}

const uuidBytes = 16;

/** Reads the updates of a response. */
export function readUpdates({ peerUpdates }: Pick<CoordinateResponse, "peerUpdates">): ReadUpdates {
  const updates: PeerUpdate[] = [];
  const dropped: DroppedUpdate[] = [];
  for (const update of peerUpdates) {
    const isKnown = update.id.length === uuidBytes;
    const id = isKnown ? parseUuid(update.id) : "";
    const read = isKnown ? readUpdate(id, update) : "peer id is malformed";
    if (typeof read === "string") dropped.push({ id, reason: read });
    else updates.push(read);
  }
  return { updates, dropped };
}

function readUpdate(id: string, { kind, node, reason }: WireUpdate): PeerUpdate | string {
  switch (kind) {
    case Kind.NODE: {
      const read = node === undefined ? "node is missing" : readPeerNode(node);
      return typeof read === "string" ? read : { type: "node", id, node: read };
    }
    case Kind.DISCONNECTED:
      return { type: "disconnected", id };
    case Kind.LOST:
      return { type: "lost", id, isGone: reason === goneReason };
    case Kind.READY_FOR_HANDSHAKE:
      return { type: "ready", id };
    case Kind.UNSPECIFIED:
      return "unknown kind of update";
    default:
      // Enums are open: a later server may send another.
      return `unknown kind of update (got ${String(kind)})`;
  }
}
