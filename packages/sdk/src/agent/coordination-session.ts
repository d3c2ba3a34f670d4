import { RpcError } from "@slipway/rpc";
import type { CoordinationSession, ResumeToken } from "@slipway/tailnet/coordination/service";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { durationToMs, timestampToMs } from "@slipway/wire/protobuf/time";

import type { AgentConnection } from "./dial.ts";

/** The calls of a session by which a peer is coordinated. */
export type CoordinationCalls = Pick<
  AgentConnection,
  "closed" | "unary" | "serverStream" | "duplex"
>;

const { method } = Tailnet;

/**
 * Coordinates an agent over its session, which its opener closes. Agents get no resume tokens: their id is their
 * name.
 */
export function agentCoordination(connection: CoordinationCalls): CoordinationSession {
  return { ...streamsOf(connection), refreshResumeToken: async () => undefined };
}

/** Coordinates a client over its session; without resume tokens, it is a new peer on each session. */
export function clientCoordination(connection: CoordinationCalls): CoordinationSession {
  return {
    ...streamsOf(connection),
    refreshResumeToken: (signal) => refreshResumeToken(connection, signal),
  };
}

function streamsOf(connection: CoordinationCalls): Omit<CoordinationSession, "refreshResumeToken"> {
  return {
    closed: connection.closed,
    coordinate: (requests, signal) => connection.duplex(method.coordinate, requests, signal),
    derpMaps: (signal) => connection.serverStream(method.streamDERPMaps, {}, signal),
  };
}

async function refreshResumeToken(
  connection: CoordinationCalls,
  signal: AbortSignal,
): Promise<ResumeToken | undefined> {
  try {
    const answer = await connection.unary(method.refreshResumeToken, {}, signal);
    return {
      token: answer.token,
      refreshInMs: durationToMs(answer.refreshIn),
      expiresAt: timestampToMs(answer.expiresAt),
    };
  } catch (error) {
    // A server without tokens will do (docs/protocol/rpc.md §3.6).
    if (error instanceof RpcError && error.rpcCode === drpcCodeUnimplemented) return undefined;
    throw error;
  }
}
