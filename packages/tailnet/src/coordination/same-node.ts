import type { PeerNode } from "./peer-node.ts";

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
