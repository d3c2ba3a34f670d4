import { parseUuid } from "@slipway/wire/bytes/uuid";
import type { CoordinateResponse } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { CoordinateResponse_PeerUpdate_Kind as Kind } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { canonicalAddress } from "../../platform/fields/address.ts";
import { agentAddresses, agentPrefixes } from "../coordinator/node-address.ts";

type PeerUpdate = CoordinateResponse["peerUpdates"][number];

/**
 * Returns an update as the server's own peer takes it; undefined if it is not about an agent to which the server has
 * asked for a tunnel. Of a node only the addresses count that follow from the agent's id. The coordinator has checked
 * them when they were published; here a mistake would show one user's data to the agent of another.
 */
export function takenUpdate(
  update: PeerUpdate,
  isWanted: (agentId: string) => boolean,
): PeerUpdate | undefined {
  const agentId = parseUuid(update.id);
  if (!isWanted(agentId)) return undefined;
  const { node } = update;
  if (update.kind !== Kind.NODE || node === undefined) return update;
  const own = ownPrefixes(agentId);
  const addresses = node.addresses.filter(own);
  const allowedIps = node.allowedIps.filter(own);
  return { ...update, node: { ...node, addresses, allowedIps } };
}

/** Returns the test for the prefixes of an agent; the address that agents of old releases share is not one of them. */
function ownPrefixes(agentId: string): (prefix: string) => boolean {
  const own = new Set(agentAddresses(agentId).map(canonicalAddress));
  const read = agentPrefixes(agentId);
  return (prefix) => {
    const found = read(prefix);
    return "address" in found && own.has(found.address);
  };
}
