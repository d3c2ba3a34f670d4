import type { Clock } from "@slipway/runtime";
import type { CoordinationService, OpenSession } from "@slipway/tailnet/coordination/service";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import {
  type CoordinateRequest,
  CoordinateRequestSchema,
  type CoordinateResponse,
  CoordinateResponse_PeerUpdate_Kind as Kind,
  CoordinateResponseSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";

import { type ReadDerpMap, streamDerpMaps } from "../../features/agents/manifest/derp-map.ts";
import { canonicalAddress } from "../../platform/fields/address.ts";
import { coordinate, type CoordinatedPeer } from "../coordinator/coordinate.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { agentAddresses, agentPrefixes } from "../coordinator/node-address.ts";

interface OwnCoordinationNeeds {
  readonly coordinator: Coordinator;
  readonly peer: CoordinatedPeer;
  readonly readDerpMap: ReadDerpMap;
  readonly clock: Pick<Clock, "sleep">;
  /** Returns whether the server has asked for a tunnel to an agent. */
  readonly isWanted: (agentId: string) => boolean;
}

type Requests = Parameters<OpenSession["coordinate"]>[0];

/** Returns the coordination of the server's own peer: calls to the coordinator of its process, without a connection. */
export function ownCoordination(needs: OwnCoordinationNeeds): CoordinationService {
  const open = async (): Promise<OpenSession> => ({
    // Only its streams end.
    closed: new Promise(() => undefined),
    coordinate: (requests, signal) => responses(needs, requests, signal),
    derpMaps: (signal) => streamDerpMaps(needs.readDerpMap, signal),
    refreshResumeToken: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  });
  return { open, verdict: () => "retry" };
}

async function* responses(
  needs: OwnCoordinationNeeds,
  requests: Requests,
  signal: AbortSignal,
): AsyncGenerator<CoordinateResponse, void, undefined> {
  const { peer, isWanted } = needs;
  for await (const response of coordinate(needs, peer, messages(requests), signal)) {
    const message = createMessage(CoordinateResponseSchema, response);
    const peerUpdates = message.peerUpdates
      .map((update) => takenUpdate(update, isWanted))
      .filter((update) => update !== undefined);
    yield { ...message, peerUpdates };
  }
}

async function* messages(requests: Requests): AsyncGenerator<CoordinateRequest, void, undefined> {
  for await (const request of requests) yield createMessage(CoordinateRequestSchema, request);
}

type PeerUpdate = CoordinateResponse["peerUpdates"][number];

/**
 * Returns an update as the server's own peer accepts it; undefined if it is not about an agent to which the server has
 * asked for a tunnel. Only the addresses of a node that follow from the agent's id count. The coordinator has checked
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
