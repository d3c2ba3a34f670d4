import type { Clock } from "@slipway/runtime";
import type { CoordinationService, OpenSession } from "@slipway/tailnet/coordination/service";
import type { CoordinateRequest, CoordinateResponse } from "@slipway/wire/protobuf/gen/tailnet_pb";
import {
  CoordinateRequestSchema,
  CoordinateResponseSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";

import { type ReadDerpMap, streamDerpMaps } from "../../features/agents/manifest/derp-map.ts";
import { coordinate, type CoordinatedPeer } from "../coordinator/coordinate.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { takenUpdate } from "./agent-node.ts";

interface OwnCoordinationNeeds {
  readonly coordinator: Coordinator;
  readonly peer: CoordinatedPeer;
  readonly readDerpMap: ReadDerpMap;
  readonly clock: Pick<Clock, "sleep">;
  /** Returns whether the server has asked for a tunnel to an agent. */
  readonly isWanted: (agentId: string) => boolean;
}

type Requests = Parameters<OpenSession["coordinate"]>[0];

/** Returns the way of the server's own peer to the coordinator of its process: calls, without a connection. */
export function ownCoordination(needs: OwnCoordinationNeeds): CoordinationService {
  const open = async (): Promise<OpenSession> => ({
    // What ends are its streams.
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
