import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { Node } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import ipaddr from "ipaddr.js";

import { encodeNodeKey, formatDiscoKey } from "../identity/key.ts";

/** The facts about this side that stay the same for the life of its process. */
export interface SelfIdentity {
  /** The number of the node, which is informational: `nodeIdOf` an agent's id, or 63 random bits. */
  readonly nodeId: bigint;
  readonly nodeKey: Uint8Array;
  readonly discoKey: Uint8Array;
  /** The addresses of this side, 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
}

/** The relay and addresses at which this side can be reached; they change. */
export interface SelfPlace {
  /** The region whose relay this side stays connected to; undefined until one is chosen. */
  readonly homeRegionId: number | undefined;
  /** Seconds to the regions, by `<region id>-v4` or `<region id>-v6`. */
  readonly latencies: Readonly<Record<string, number>>;
  /** The reasons for reaching relays by WebSocket, by region. */
  readonly forcedWebSockets: Readonly<Record<number, string>>;
  /** UDP candidates as `address:port`. */
  readonly endpoints: readonly string[];
}

const nowhere: SelfPlace = {
  homeRegionId: undefined,
  latencies: {},
  forcedWebSockets: {},
  endpoints: [],
};

/**
 * The node that this side publishes: in full once it has a home region, and again whenever the change would matter to
 * a peer (docs/protocol/tailnet.md §2.3).
 */
export class SelfNode {
  readonly #identity: SelfIdentity;
  #place = nowhere;

  constructor(identity: SelfIdentity) {
    this.#identity = identity;
  }

  /** Applies changes; returns true if they are worth publishing. */
  change(changes: Partial<SelfPlace>): boolean {
    const before = this.#place;
    this.#place = { ...before, ...changes };
    return this.#place.homeRegionId !== undefined && !isSamePlace(before, this.#place);
  }

  /** Returns the node at the wall-clock time `now`; undefined while it has no home region. */
  at(now: number): Node | undefined {
    const { homeRegionId, latencies, forcedWebSockets, endpoints } = this.#place;
    if (homeRegionId === undefined) return undefined;
    const { nodeId, nodeKey, discoKey } = this.#identity;
    const addresses = this.#identity.addresses.map(prefixText);
    return createMessage(NodeSchema, {
      id: nodeId,
      asOf: timestampFromMs(now),
      key: encodeNodeKey(nodeKey),
      disco: formatDiscoKey(discoKey),
      preferredDerp: homeRegionId,
      derpLatency: { ...latencies },
      derpForcedWebsocket: { ...forcedWebSockets },
      addresses,
      allowedIps: addresses,
      endpoints: [...endpoints],
    });
  }
}

/** Returns the number of an agent's node: the last eight bytes of its id, without their sign. */
export function nodeIdOf(agentId: string): bigint {
  const bytes = encodeUuid(agentId);
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(8);
  // The most negative number has no counterpart.
  return BigInt.asIntN(64, value < 0n ? -value : value);
}

/** Returns the number of a client's node: 63 random bits (docs/protocol/tailnet.md §2.1). */
export function randomNodeId(randomBytes: (count: number) => Uint8Array): bigint {
  const bytes = randomBytes(8);
  return BigInt.asUintN(63, new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
}

function prefixText(address: Uint8Array): string {
  return `${ipaddr.fromByteArray([...address]).toString()}/${address.length * 8}`;
}

/** Latencies drift all the time: only the set of measured regions counts. */
function isSamePlace(one: SelfPlace, other: SelfPlace): boolean {
  return (
    one.homeRegionId === other.homeRegionId &&
    isSameSet(one.endpoints, other.endpoints) &&
    isSameSet(Object.keys(one.latencies), Object.keys(other.latencies)) &&
    isSameSet(
      Object.entries(one.forcedWebSockets).map(String),
      Object.entries(other.forcedWebSockets).map(String),
    )
  );
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  const [first, second] = [new Set(one), new Set(other)];
  return first.size === second.size && [...first].every((item) => second.has(item));
}
