import { stripVTControlCharacters } from "node:util";

import {
  type MessageInitShape,
  UpdateAppStatusRequest_AppStatusState as State,
  type UpdateAppStatusRequest,
  type UpdateAppStatusResponseSchema,
} from "@slipway/wire";

import { topics } from "../../pubsub/pubsub.ts";
import { RpcFailure } from "../../rpc/handler.ts";
import { insertAppStatus } from "./app-queries.ts";
import type { AgentRpcContext } from "./context.ts";
import { withoutNul } from "./fields.ts";

const states: ReadonlyMap<number, string> = new Map([
  [State.WORKING, "working"],
  [State.IDLE, "idle"],
  [State.COMPLETE, "complete"],
  [State.FAILURE, "failure"],
]);

const maxMessageBytes = 160;
const maxUriLength = 2048;

/** Keeps what an app says of itself, each time anew (`rpc.md` section 7.13). */
export async function updateAppStatus(
  { db, pubsub, agent }: Pick<AgentRpcContext, "db" | "pubsub" | "agent">,
  request: UpdateAppStatusRequest,
): Promise<MessageInitShape<typeof UpdateAppStatusResponseSchema>> {
  const bytes = Buffer.byteLength(request.message);
  if (bytes > maxMessageBytes)
    throw badRequest(`message has ${bytes} bytes, at most ${maxMessageBytes} are taken`);
  const state = states.get(request.state);
  if (state === undefined) throw badRequest(`unknown state ${request.state}`);
  if (request.uri.length > maxUriLength) {
    throw badRequest(`uri has ${request.uri.length} characters, at most ${maxUriLength} are taken`);
  }
  const isKnown = await insertAppStatus(db, {
    agentId: agent.agentId,
    slug: withoutNul(request.slug),
    state,
    message: cleanMessage(request.message),
    uri: withoutNul(request.uri),
  });
  if (!isKnown)
    throw badRequest(`agent has no app with slug ${JSON.stringify(request.slug.slice(0, 64))}`);
  pubsub.publish(topics.workspace(agent.workspaceId));
  return {};
}

/** Peers see an error of the HTTP API here, flattened to a text. */
function badRequest(message: string): RpcFailure {
  return new RpcFailure(`unexpected status code 400: ${message}`);
}

/** A message as plain text of one line: no markup, no escape sequences, no control characters, single spaces. */
export function cleanMessage(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/<[a-z/!?][^>]*>/gi, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{Cc}/gu, "")
    .trim();
}
