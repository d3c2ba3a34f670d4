import type { Node } from "@slipway/wire/protobuf/gen/tailnet_pb";
import ipaddr from "ipaddr.js";

import { IdentityError, parseDiscoKey, parseEncodedNodeKey } from "../identity/key.ts";
import { coordinationLimits as limits } from "./limits.ts";

/** A peer as it published itself, validated (docs/protocol/tailnet.md §2.1). */
export interface PeerNode {
  /** The WireGuard key, 32 bytes; also the address on a relay. */
  readonly nodeKey: Uint8Array;
  readonly discoKey: Uint8Array;
  /** The region whose relay the peer stays connected to. */
  readonly homeRegionId: number;
  /** The addresses that the peer may send from, 16 bytes each. */
  readonly allowedAddresses: readonly Uint8Array[];
  /** UDP candidates as `address:port`, not validated. */
  readonly endpoints: readonly string[];
}

/** A region travels as a port number inside stock peers. */
const maxRegionId = 65_535;
const addressBits = "128";

/** Reads a node without keeping views of it; returns the reason if the node must be dropped. */
export function readPeerNode(node: Node): PeerNode | string {
  const nodeKey = readKey(parseEncodedNodeKey, node.key);
  if (nodeKey === undefined) return "node key is malformed";
  const discoKey = readKey(parseDiscoKey, node.disco);
  if (discoKey === undefined) return "disco key is malformed";
  const { preferredDerp } = node;
  if (preferredDerp < 1 || preferredDerp > maxRegionId) {
    return `no home region (got ${preferredDerp}, wanted 1 to ${maxRegionId})`;
  }
  const allowedAddresses = readAllowedAddresses(node);
  if (allowedAddresses.length === 0) return "node has no address";
  return {
    nodeKey,
    discoKey,
    homeRegionId: preferredDerp,
    allowedAddresses,
    endpoints: node.endpoints.slice(0, limits.maxEndpoints),
  };
}

/** Returns the key that `parse` reads; undefined if it is malformed or all zeros. */
function readKey<T>(parse: (key: T) => Uint8Array, key: T): Uint8Array | undefined {
  try {
    return parse(key);
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}

/** Returns the allowed addresses that are also addresses of the node (docs/protocol/tailnet.md §1.4). */
function readAllowedAddresses({ addresses, allowedIps }: Node): readonly Uint8Array[] {
  const own = new Set(addresses.slice(0, limits.maxAddresses).map(canonicalPrefix));
  const allowed = new Set(allowedIps.slice(0, limits.maxAddresses).map(canonicalPrefix));
  return [...allowed]
    .filter((address) => address !== undefined)
    .filter((address) => own.has(address))
    .map((address) => Uint8Array.from(ipaddr.parse(address).toByteArray()));
}

/** Returns the canonical address of a prefix that covers a single IPv6 address; undefined for any other text. */
function canonicalPrefix(prefix: string): string | undefined {
  const [address = "", bits, ...rest] = prefix.split("/");
  if (bits !== addressBits || rest.length > 0 || address.includes("%")) return undefined;
  return ipaddr.IPv6.isValid(address) ? ipaddr.IPv6.parse(address).toString() : undefined;
}

/** Returns true if two nodes mean the same to the tunnel and its paths. */
export function isSameNode(one: PeerNode, other: PeerNode): boolean {
  return (
    isSameBytes(one.nodeKey, other.nodeKey) &&
    isSameBytes(one.discoKey, other.discoKey) &&
    one.homeRegionId === other.homeRegionId &&
    isSameList(one.endpoints, other.endpoints, (a, b) => a === b) &&
    isSameList(one.allowedAddresses, other.allowedAddresses, isSameBytes)
  );
}

export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Returns true if two lists are equal, in order. */
function isSameList<T>(
  one: readonly T[],
  other: readonly T[],
  isSame: (a: T, b: T) => boolean,
): boolean {
  return (
    one.length === other.length &&
    one.every((item, at) => {
      const counterpart = other[at];
      return counterpart !== undefined && isSame(item, counterpart);
    })
  );
}
