import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { Node } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { coordinationLimits as limits } from "./limits.ts";
import type { CoordinateRequest } from "./service.ts";

/**
 * The requests of one stream that were not sent yet. Repeated requests are sent once, in their latest form, so the
 * number of peers bounds what waits.
 */
export class PendingRequests implements AsyncIterable<CoordinateRequest> {
  #node: Node | undefined;
  readonly #toAdd = new Set<string>();
  readonly #toRemove = new Set<string>();
  readonly #readyFor = new Set<string>();
  #end: "none" | "leaving" | "over" = "none";
  #wake: () => void = () => undefined;

  /** Sends a node, replacing one that still waits. */
  publish(node: Node): void {
    this.#node = node;
    this.#wake();
  }

  /** Requests a tunnel, after the removal of an earlier one: this side has forgotten the peer, and is sent it again. */
  addTunnel(id: string): void {
    this.#toAdd.add(id);
    this.#wake();
  }

  removeTunnel(id: string): void {
    this.#toAdd.delete(id);
    this.#toRemove.add(id);
    this.#wake();
  }

  sayReady(id: string): void {
    this.#readyFor.add(id);
    this.#wake();
  }

  /** Says goodbye after what waits; the coordinator ends the stream then. */
  leave(): void {
    if (this.#end === "none") this.#end = "leaving";
    this.#wake();
  }

  /** Ends the requests; what waits is not sent. */
  finish(): void {
    this.#end = "over";
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CoordinateRequest, void, undefined> {
    let hasLeft = false;
    while (this.#end !== "over") {
      const request = hasLeft ? undefined : this.#next();
      if (request !== undefined) {
        yield request;
      } else if (this.#end === "leaving" && !hasLeft) {
        hasLeft = true;
        yield { disconnect: {} };
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Removes and returns one request, in the order in which a coordinator handles its fields. */
  #next(): CoordinateRequest | undefined {
    const node = this.#node;
    this.#node = undefined;
    const [added] = take(this.#toAdd, 1, (id) => !this.#toRemove.has(id));
    const [removed] = take(this.#toRemove, 1);
    const ready = take(this.#readyFor, limits.maxReadyPerRequest);
    if (node === undefined && added === undefined && removed === undefined && ready.length === 0) {
      return undefined;
    }
    return {
      ...(node === undefined ? {} : { updateSelf: { node } }),
      ...(added === undefined ? {} : { addTunnel: { id: encodeUuid(added) } }),
      ...(removed === undefined ? {} : { removeTunnel: { id: encodeUuid(removed) } }),
      readyForHandshake: ready.map((id) => ({ id: encodeUuid(id) })),
    };
  }
}

/** Removes the oldest items that fit from a set and returns them. */
function take<T>(
  items: Set<T>,
  count: number,
  fits: (item: T) => boolean = () => true,
): readonly T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length >= count) break;
    if (!fits(item)) continue;
    taken.push(item);
    items.delete(item);
  }
  return taken;
}
