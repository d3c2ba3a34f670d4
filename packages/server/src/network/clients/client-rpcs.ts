import { duplex, type RpcTable, serverStream, unary } from "@slipway/rpc";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import { uuidField } from "../../features/agents/calls/fields.ts";
import { boundedParser } from "../../features/agents/calls/limits.ts";
import { type ReadDerpMap, streamDerpMaps } from "../../features/agents/manifest/derp-map.ts";
import type { Platform } from "../../platform/platform.ts";
import { coordinate } from "../coordinator/coordinate.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import type { ClientCaller } from "./client-session.ts";
import { refreshAfterMs, type ResumeTokens } from "./resume-token.ts";
import { workspaceUpdates } from "./workspace-updates.ts";

interface ClientRpcNeeds extends Pick<Platform, "db" | "pubsub" | "clock"> {
  readonly coordinator: Coordinator;
  readonly tokens: ResumeTokens;
  readonly readDerpMap: ReadDerpMap;
}

const { method } = Tailnet;

/** Returns the RPCs that clients may call (docs/protocol/rpc.md §6). Others are answered with code 12. */
export function clientRpcs(needs: ClientRpcNeeds): RpcTable<ClientCaller> {
  return new Map([
    duplex(
      method.coordinate,
      boundedParser(method.coordinate.input),
      ({ peer }: ClientCaller, requests, signal) => coordinate(needs, peer, requests, signal),
    ),
    serverStream(
      method.streamDERPMaps,
      boundedParser(method.streamDERPMaps.input),
      (_: ClientCaller, __, signal) => streamDerpMaps(needs.readDerpMap, signal),
    ),
    serverStream(
      method.workspaceUpdates,
      boundedParser(method.workspaceUpdates.input),
      ({ user }: ClientCaller, { workspaceOwnerId }, signal) =>
        workspaceUpdates(needs, user, uuidField(workspaceOwnerId, "workspace_owner_id"), signal),
    ),
    unary(
      method.refreshResumeToken,
      () => undefined,
      async ({ peerId, user, audience }: ClientCaller) => {
        const peer = { peerId, userId: user.id, audience };
        const { token, expiresAtMs } = needs.tokens.issue(peer);
        const refreshIn = { seconds: BigInt(refreshAfterMs / 1000) };
        return { token, refreshIn, expiresAt: timestampFromMs(expiresAtMs) };
      },
    ),
    // An empty answer without storage conforms (docs/protocol/rpc.md §6.6); the request is not read.
    unary(
      method.postTelemetry,
      () => undefined,
      async () => ({}),
    ),
  ]);
}
