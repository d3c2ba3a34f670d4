import { goneReason } from "@slipway/tailnet/coordination/peer-update";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  NodeSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import type { CoordinateResponse_PeerUpdateSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";

import type { SeenPeer, View } from "./peer-directory.ts";

export type PeerUpdate = MessageInitShape<typeof CoordinateResponse_PeerUpdateSchema>;

/** The maximum number of updates in one response (docs/protocol/tailnet.md §2.2). */
const maxUpdates = 1024;
/** The maximum size of the nodes in one response, in bytes; a message may have 4 MiB. */
const maxBatchBytes = 1024 * 1024;

/**
 * The peers that one connection has been notified of. Only the newest state of each counts: a slow reader skips what
 * happened in between, and nothing queues up for one that does not read.
 *
 * A lost peer that is forgotten later is reported as disconnected, which deviates from stock coordinators: they leave
 * it to the receiver, which keeps a peer for as long as the peer makes handshakes, whatever rights it still has.
 */
export class ToldPeers {
  readonly #told = new Map<string, SeenPeer>();
  /** The peers to report again, as if for the first time; created on demand, as an agent never has any. */
  #again: Set<string> | undefined;

  /** True if the peer has been told about none; agents rarely are told about any. */
  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  /** Repeats a peer that is still visible: a client that closed its tunnel to it has forgotten it. */
  repeat(id: string): void {
    if (!this.#told.has(id)) return;
    this.#again ??= new Set();
    this.#again.add(id);
  }

  /** Yields the updates that lead from the reported state to a view, in batches that fit a response. */
  *changes(view: View): Generator<readonly PeerUpdate[], void, undefined> {
    let batch: PeerUpdate[] = [];
    let bytes = 0;
    for (const [id, update, size] of this.#updates(view)) {
      if (batch.length > 0 && (batch.length >= maxUpdates || bytes + size > maxBatchBytes)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push({ id: encodeUuid(id), ...update });
      bytes += size;
    }
    if (batch.length > 0) yield batch;
  }

  *#updates(view: View): Generator<readonly [string, PeerUpdate, number], void, undefined> {
    for (const id of this.#told.keys()) {
      if (view.has(id)) continue;
      this.#told.delete(id);
      this.#again?.delete(id);
      yield [id, { kind: Kind.DISCONNECTED, reason: "disconnected" }, 0];
    }
    for (const [id, seen] of view) {
      const isRepeated = this.#again?.delete(id) === true;
      const told = isRepeated && seen.node !== undefined ? undefined : this.#told.get(id);
      this.#told.set(id, seen);
      if (seen.node === undefined) {
        // A peer that reconnects may still know one that is gone.
        if (seen.isGone && told?.isGone !== true)
          yield [id, { kind: Kind.LOST, reason: goneReason }, 0];
        else if (told?.node !== undefined) yield [id, { kind: Kind.LOST, reason: "lost" }, 0];
        continue;
      }
      if (told?.node === undefined || !sameBytes(told.node, seen.node)) {
        const node = parseMessage(NodeSchema, seen.node);
        yield [id, { kind: Kind.NODE, node, reason: reasonOf(told) }, seen.node.length];
      }
      if (seen.readiness > (told?.readiness ?? 0))
        yield [id, { kind: Kind.READY_FOR_HANDSHAKE }, 0];
    }
  }
}

/** Returns the reason of a node (docs/protocol/tailnet.md §8.5). */
function reasonOf(told: SeenPeer | undefined): string {
  if (told === undefined) return "new";
  return told.node === undefined ? "found" : "update";
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one === other || Buffer.compare(one, other) === 0;
}
