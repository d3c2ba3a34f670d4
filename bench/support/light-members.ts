import { getUser } from "@slipway/api/users/routes";
import type { AgentConnection } from "@slipway/sdk/agent";
import { ApiClient } from "@slipway/sdk/http";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import type { CoordinateRequest } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { durationToMs, timestampFromMs } from "@slipway/wire/protobuf/time";

import { openPlainFetch } from "./plain-fetch.ts";
import { clientPath, dialPlainly } from "./plain-web-socket.ts";

/* Members of a fleet that cost the measured machine little: agents without metadata, and desktop clients. */

/** A session that has nothing to call, for as long as it is open. */
interface LightMember {
  readonly call: () => Promise<void>;
  readonly closed: Promise<unknown>;
}

/** Returns a signal that never aborts; one for all members would search its listeners at each call. */
function never(): AbortSignal {
  return new AbortController().signal;
}

/**
 * Opens the session of an agent: manifest, startup and lifecycle, then the network's coordination and relay map, and
 * statistics whenever the server wants them.
 */
export async function openQuietAgent(serverUrl: string, token: string): Promise<LightMember> {
  const signal = never();
  const connection = await dialPlainly(serverUrl, token, signal);
  await connection.unary(Agent.method.getManifest, {}, signal);
  const startup = { version: "v2.37.0", expandedDirectory: "/" };
  await connection.unary(Agent.method.updateStartup, { startup }, signal);
  const lifecycle = { state: Lifecycle_State.READY, changedAt: timestampFromMs(Date.now()) };
  await connection.unary(Agent.method.updateLifecycle, { lifecycle }, signal);
  joinNetwork(connection, signal);
  await reportStats(connection, signal);
  return memberOf(connection);
}

/** Opens what a desktop client holds: the network's coordination and relay map, and a watch of its user's workspaces. */
export async function openDesktop(serverUrl: string, token: string): Promise<LightMember> {
  const signal = never();
  const headers = { "Coder-Session-Token": token };
  const client = new ApiClient({ serverUrl, headers, fetch: openPlainFetch() });
  const { id } = await client.call(getUser, { params: { user: "me" } });
  const connection = await dialPlainly(serverUrl, token, signal, clientPath);
  joinNetwork(connection, signal);
  const owner = { workspaceOwnerId: encodeUuid(id) };
  const updates = connection.serverStream(Tailnet.method.workspaceUpdates, owner, signal);
  const first = Promise.withResolvers<void>();
  void drain(updates, first.resolve);
  await first.promise;
  return memberOf(connection);
}

function memberOf({ closed }: AgentConnection): LightMember {
  return { closed, call: async () => undefined };
}

function joinNetwork(connection: AgentConnection, signal: AbortSignal): void {
  const requests = untilClosed(connection);
  void drain(connection.duplex(Tailnet.method.coordinate, requests, signal));
  void drain(connection.serverStream(Tailnet.method.streamDERPMaps, {}, signal));
}

/** Returns requests of which none comes before the session ends. */
function untilClosed({ closed }: AgentConnection): AsyncIterable<CoordinateRequest> {
  const next = () => closed.then(() => ({ done: true, value: undefined }) as const);
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Drops the answers of a call, which ends with its session. */
async function drain(answers: AsyncIterable<unknown>, onAnswer = (): void => undefined) {
  try {
    for await (const _ of answers) onAnswer();
  } catch {
    // The session has ended, which its member notices.
  }
}

/** Asks for the interval first, then reports idle statistics for the rest of the session. */
async function reportStats(connection: AgentConnection, signal: AbortSignal): Promise<void> {
  const report = async (request: object): Promise<void> => {
    const answer = await connection.unary(Agent.method.updateStats, request, signal);
    const timer = setTimeout(again, durationToMs(answer.reportInterval));
    void connection.closed.then(() => clearTimeout(timer));
  };
  const again = (): void => void report({ stats: {} }).catch(() => undefined);
  await report({});
}
