import { RpcError } from "@slipway/rpc";
import { countText } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { UpdateAppStatusRequest_AppStatusState as State } from "@slipway/wire/protobuf/gen/agent_pb";
import type {
  UpdateAppStatusRequest,
  UpdateAppStatusResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";

import type { Platform } from "../../../platform/platform.ts";
import { requireLive, type RpcCaller } from "../calls/rpc-caller.ts";
import {
  type AppState,
  maxMessageBytes,
  maxUriLength,
  reportAppStatus,
} from "./app-status-service.ts";

const states: ReadonlyMap<number, AppState> = new Map([
  [State.WORKING, "working"],
  [State.IDLE, "idle"],
  [State.COMPLETE, "complete"],
  [State.FAILURE, "failure"],
]);

/** Stores an app's status (docs/protocol/rpc.md §7.13). */
export async function updateAppStatus(
  { db, pubsub }: Pick<Platform, "db" | "pubsub">,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  { slug, state: number, message, uri }: UpdateAppStatusRequest,
): Promise<MessageInitShape<typeof UpdateAppStatusResponseSchema>> {
  const state = states.get(number);
  if (state === undefined) throw badRequest(`unknown state ${number}`);
  const result = await reportAppStatus({ db, pubsub, spend }, agent, { slug, state, message, uri });
  switch (result.type) {
    case "stored":
      return {};
    case "long-message":
      throw badRequest(
        `message has ${countText(result.bytes, "byte")}, at most ${maxMessageBytes} are taken`,
      );
    case "long-uri":
      throw badRequest(
        `uri has ${countText(result.length, "character")}, at most ${maxUriLength} are taken`,
      );
    case "too-many":
      throw new RpcError("unexpected status code 429: too many statuses in a short time");
    case "unknown-app":
      await requireLive(db, agent.agentId);
      throw badRequest(`agent has no app with slug ${JSON.stringify(slug.slice(0, 64))}`);
  }
}

/** The prefix of an error of the HTTP API, flattened to a text, as peers see it. */
export const badRequestPrefix = "unexpected status code 400: ";

function badRequest(message: string): RpcError {
  return new RpcError(`${badRequestPrefix}${message}`);
}
