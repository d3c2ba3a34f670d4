import { getWorkspace } from "@slipway/api/workspaces/routes";
import { watchWorkspaceSocket } from "@slipway/api/workspaces/watch-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { Backoff, type Clock } from "@slipway/runtime";

import type { ApiClient } from "../http/client.ts";
import { AnswerError, isRetryable } from "../http/errors.ts";
import { openSocket } from "../stream/socket.ts";

export interface FollowWorkspaceOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Yields a workspace, deleted or not, and again after each change, across lost connections and restarts of the server;
 * states in between may be left out. Never ends by itself. Throws `ApiError` if the server refuses, `AnswerError` if a
 * message is not a workspace, and the signal's reason.
 */
async function* followWorkspace(
  id: string,
  { client, clock, signal }: FollowWorkspaceOptions,
): AsyncGenerator<Workspace, never, undefined> {
  const backoff = new Backoff();
  const params = { workspace: id };
  const query = { include_deleted: "true" };
  for (;;) {
    try {
      // First, because a WebSocket does not say why it is refused, and a deleted workspace has none.
      const workspace = await client.call(getWorkspace, { params, query, signal });
      yield workspace;
      if (workspace.latest_build.status !== "deleted") {
        for await (const changed of readChanges(id, { client, signal })) {
          backoff.reset();
          yield changed;
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
    }
    await clock.sleep(backoff.next(), signal);
  }
}

/** Follows a workspace until a state of it; resolves to the workspace in that state. Throws as `followWorkspace` does. */
export async function followUntil(
  id: string,
  isOver: (workspace: Workspace) => boolean,
  options: FollowWorkspaceOptions,
): Promise<Workspace> {
  for await (const workspace of followWorkspace(id, options)) {
    if (isOver(workspace)) return workspace;
  }
  throw new TypeError("the changes of a workspace do not end");
}

async function* readChanges(
  id: string,
  { client, signal }: Pick<FollowWorkspaceOptions, "client" | "signal">,
): AsyncGenerator<Workspace, void, undefined> {
  const socket = await openSocket(client.url(watchWorkspaceSocket, { params: { workspace: id } }), {
    headers: client.headers,
    signal,
    ...(client.createSocket === undefined ? {} : { create: client.createSocket }),
  });
  try {
    for await (const text of socket) {
      const message = parseMessage(text, client.serverUrl);
      if (message.data !== null) yield message.data;
    }
    signal.throwIfAborted();
  } finally {
    socket.close();
  }
}

function parseMessage(text: string, url: string): { readonly data: Workspace | null } {
  try {
    const message: unknown = JSON.parse(text);
    const data: unknown = Object(message).data ?? null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
    if (data === null || hasBuild(data)) return { data: data as Workspace | null };
    throw new TypeError("message has no workspace");
  } catch (cause) {
    throw new AnswerError(url, { cause });
  }
}

function hasBuild(value: unknown): boolean {
  return typeof value === "object" && value !== null && "latest_build" in value;
}
