import { coordinateAgent, joinTailnet } from "@slipway/api/agents/tailnet-routes";
import { Caller, type RpcSocket } from "@slipway/rpc";
import type { Clock } from "@slipway/runtime";
import type { CoordinationService, OpenSession } from "@slipway/tailnet/coordination/service";

import { clientCoordination } from "../agent/coordination-session.ts";
import { DialError } from "../agent/errors.ts";
import type { ApiClient } from "../http/client.ts";

export interface ClientCoordinationOptions {
  readonly client: Pick<ApiClient, "url">;
  /** The one agent that the client may reach (default: every agent of the user). */
  readonly agentId?: string;
  readonly clock: Clock;
  /** Opens a WebSocket, paused. Throws `DialError` if it knows the rung that failed, and the signal's reason. */
  readonly dial: (url: URL, signal: AbortSignal) => Promise<RpcSocket>;
}

/** The version that stock clients name; 2.3 added what `/tailnet` is for (docs/protocol/rpc.md §1.2). */
const agentVersion = "2.0";
const tailnetVersion = "2.3";
/** The answers that another attempt would get again (docs/protocol/rpc.md §1.1); 500 may be a restarting database. */
const finalStatuses: ReadonlySet<number | undefined> = new Set([400, 401, 403, 404, 409]);

/**
 * Returns the coordination of a user's client by its server. `open` throws `DialError`, which names the rung of the
 * ladder that failed.
 */
export function clientCoordinationService(options: ClientCoordinationOptions): CoordinationService {
  return {
    open: (resumeToken, signal) => openSession(options, resumeToken, signal),
    verdict,
  };
}

async function openSession(
  options: ClientCoordinationOptions,
  resumeToken: string | undefined,
  signal: AbortSignal,
): Promise<OpenSession> {
  const { client, agentId, clock, dial } = options;
  const version = agentId === undefined ? tailnetVersion : agentVersion;
  const query = { version, ...(resumeToken === undefined ? {} : { resume_token: resumeToken }) };
  const address =
    agentId === undefined
      ? client.url(joinTailnet, { query })
      : client.url(coordinateAgent, { params: { agent: agentId }, query });
  const url = new URL(address);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = await dial(url, signal);
  const caller = new Caller(socket, { apiVersion: version, clock });
  socket.raw.resume();
  return {
    ...clientCoordination(caller),
    [Symbol.asyncDispose]: () => caller.close(),
  };
}

function verdict(error: unknown): "retry" | "drop-token" | "refused" {
  if (!(error instanceof DialError) || !finalStatuses.has(error.status)) return "retry";
  return error.fields.includes("resume_token") ? "drop-token" : "refused";
}
