import { type Clock, errorText, type Logger } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  CoordinateRequest,
  CoordinateResponseSchema,
  Node,
} from "@slipway/wire/protobuf/gen/tailnet_pb";

import type { Coordinator } from "./coordinator.ts";
import type { LeaveKind, PeerConnection } from "./peer-connection.ts";
import type { Peer, StandingState } from "./peer-directory.ts";
import type { PeerPolicy } from "./peer-policy.ts";
import { isSameNode, publishedNode, readRequest } from "./peer-request.ts";

/** The budgets for the calls of a peer and the requests of each call. */
export type CoordinationBudget = "coordinations" | "nodes" | "tunnels";

/** A peer that calls `Coordinate`. */
export interface CoordinatedPeer extends Peer {
  readonly policy: PeerPolicy;
  /**
   * Takes the state that earlier connections of the peer left, before the first request; undefined if it needs none.
   */
  readonly recall: ((standing: StandingState) => void) | undefined;
  /** Returns the latencies of a node as clients see them; undefined for a peer that clients do not see. */
  readonly latencyOf: ((node: Node) => object) | undefined;
  /** Decides, when the call is broken off, whether the peer may come back. */
  readonly leaving: () => Promise<LeaveKind>;
  /**
   * Reserves a call, or a write that others hear of; returns the milliseconds to wait, and reserves nothing if they
   * exceed `maxWaitMs`.
   */
  readonly reserve: (budget: CoordinationBudget, cost: number, maxWaitMs: number) => number;
  /** Returns the logger of the peer. */
  readonly log: () => Logger;
}

interface CoordinateNeeds {
  readonly coordinator: Coordinator;
  readonly clock: Pick<Clock, "sleep">;
}

type Response = MessageInitShape<typeof CoordinateResponseSchema>;

/** The maximum wait for a peer's budget; a request that would wait longer is refused. */
const maxWaitMs = 10_000;

/**
 * Serves the RPC `Coordinate` (docs/protocol/rpc.md §6.3). It ends with the peer's `disconnect`, a request that is
 * refused, or a newer call of the same peer; with the caller's signal the peer counts as lost, or as gone if it may
 * not come back.
 */
export async function* coordinate(
  needs: CoordinateNeeds,
  peer: CoordinatedPeer,
  requests: AsyncIterable<CoordinateRequest>,
  signal: AbortSignal,
): AsyncGenerator<Response, void, undefined> {
  if (!(await mayGoOn(needs, peer, "coordinations", signal))) {
    yield { error: "too many calls of Coordinate" };
    return;
  }
  const connection = needs.coordinator.join(peer);
  let fault: { readonly error: unknown } | undefined;
  const onMalformed = (error: unknown): void => void (fault = { error });
  const apply = applier(needs, peer, connection, signal);
  void readRequests(connection, requests, apply, { peer, onMalformed });
  try {
    for await (const response of connection.responses(signal)) {
      yield "error" in response ? response : { peerUpdates: [...response.peerUpdates] };
    }
    if (fault !== undefined) throw fault.error;
  } finally {
    if (!connection.isOver) connection.leave(await leavingOf(peer));
  }
}

type Apply = (request: CoordinateRequest) => Promise<End | undefined>;

interface ReadingParts {
  readonly peer: CoordinatedPeer;
  /** Called with the error of a request that cannot be read, before the connection ends. */
  readonly onMalformed: (error: unknown) => void;
}

/** Carries out requests one after the other until the connection is over; never rejects. */
async function readRequests(
  connection: PeerConnection,
  requests: AsyncIterable<CoordinateRequest>,
  apply: Apply,
  { peer, onMalformed }: ReadingParts,
): Promise<void> {
  try {
    for await (const request of requests) {
      const end = await outcome(peer, apply(request));
      if (end !== undefined) connection.leave(end.how ?? (await leavingOf(peer)), end.error);
      if (connection.isOver) return;
    }
  } catch (error) {
    onMalformed(error);
  }
  if (!connection.isOver) connection.leave(await leavingOf(peer));
}

/** Resolves to the end that a request leads to; one that cannot be carried out ends the connection. */
async function outcome(
  { log }: CoordinatedPeer,
  applied: Promise<End | undefined>,
): Promise<End | undefined> {
  try {
    return await applied;
  } catch (error) {
    log().warn({ error: errorText(error) }, "peer request failed");
    return { how: undefined, error: "coordinator unhealthy" };
  }
}

/** The end of a connection by a request. */
interface End {
  /** Undefined if the peer's rights decide. */
  readonly how: LeaveKind | undefined;
  readonly error: string | undefined;
}

function applier(
  needs: CoordinateNeeds,
  peer: CoordinatedPeer,
  connection: PeerConnection,
  signal: AbortSignal,
): Apply {
  let published: Node | undefined;
  let isFirst = true;
  const recall = async (): Promise<void> => {
    if (!isFirst) return;
    isFirst = false;
    peer.recall?.(await needs.coordinator.readStanding(peer.id));
  };
  const publish = async (node: Node, addresses: readonly string[]): Promise<End | undefined> => {
    const stored = publishedNode(node);
    if (typeof stored === "string") return refused(stored);
    const { bytes, reserved } = stored;
    const latency = peer.latencyOf?.(node);
    if (!(await connection.publish({ bytes, latency, reserved: [...reserved, ...addresses] }))) {
      return refused("authorization: an address or a key of the node belongs to another peer");
    }
    published = node;
    return undefined;
  };
  // In the order of docs/protocol/rpc.md §6.3.
  return async (request) => {
    const asked = readRequest(request);
    if (typeof asked === "string") return refused(asked);
    // All waiting comes before the check of the rights, which may end meanwhile.
    const isNew = asked.node && !(published && isSameNode(published, asked.node));
    if (isNew === true && !(await mayGoOn(needs, peer, "nodes", signal))) {
      return refused("too many changes of the node");
    }
    const isOfTunnels = asked.addTunnel ?? asked.removeTunnel ?? asked.readyFor[0];
    if (isOfTunnels !== undefined && !(await mayGoOn(needs, peer, "tunnels", signal))) {
      return refused("too many changes of tunnels");
    }
    await recall();
    const verdict = await peer.policy(asked);
    if ("refusal" in verdict) return refused(verdict.refusal);
    if (asked.addTunnel === peer.id)
      return refused("authorization: a peer opens no tunnel to itself");
    const end =
      isNew === true && asked.node ? await publish(asked.node, verdict.addresses) : undefined;
    if (end !== undefined) return end;
    if (asked.addTunnel !== undefined) await connection.addTunnel(asked.addTunnel);
    if (asked.removeTunnel !== undefined) await connection.removeTunnel(asked.removeTunnel);
    if (asked.isDisconnect) return { how: "disconnected", error: undefined };
    if (asked.readyFor.length > 0) await connection.sayReady(asked.readyFor);
    return undefined;
  };
}

/** Waits for a budget of the peer; resolves to false if that would take too long. Throws the signal's reason. */
async function mayGoOn(
  { clock }: CoordinateNeeds,
  peer: CoordinatedPeer,
  budget: CoordinationBudget,
  signal: AbortSignal,
): Promise<boolean> {
  const waitMs = peer.reserve(budget, 1, maxWaitMs);
  if (waitMs > maxWaitMs) return false;
  if (waitMs > 0) await clock.sleep(waitMs, signal);
  return true;
}

function refused(error: string): End {
  return { how: undefined, error };
}

async function leavingOf({ leaving, log }: CoordinatedPeer): Promise<LeaveKind> {
  try {
    return await leaving();
  } catch (error) {
    log().debug({ error: errorText(error) }, "cannot check the rights of a peer that left");
    return "lost";
  }
}
