import type { RpcSocket } from "@slipway/rpc";
import type { Logger } from "@slipway/runtime";

import { dialSocket } from "./dial-socket.ts";
import { DialError, type Rung } from "./errors.ts";

/**
 * An open WebSocket for an agent's session, paused until `openSession` takes it over. Its opener closes it, or the
 * session that took it over.
 */
export interface AgentSocket {
  readonly socket: RpcSocket;
  /** The API version that the server accepted. */
  readonly apiVersion: string;
}

export interface AgentSocketOptions {
  readonly serverUrl: string;
  readonly token: string;
  /** Additional headers for the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly role: "agent";
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Called as each rung of the ladder is reached. */
  readonly onRung?: (rung: Rung) => void;
  /** Called when each request has been sent, while the server prepares its answer. */
  readonly onRequest?: () => void;
}

/** The versions to offer, newest first: the last has everything that this agent needs (docs/protocol/rpc.md §1.2). */
const versions = [
  "2.10",
  "2.9",
  "2.8",
  "2.7",
  "2.6",
  "2.5",
  "2.4",
  "2.3",
  "2.2",
  "2.1",
  "2.0",
] as const;

/**
 * Opens the WebSocket of an agent's session, and steps down to an older API version if the server asks for it. Throws
 * `DialError`, which names the rung of the ladder that failed.
 */
export async function openAgentSocket(options: AgentSocketOptions): Promise<AgentSocket> {
  for (const version of versions) {
    try {
      return await openVersion(options, version);
    } catch (error) {
      const isVersion = error instanceof DialError && error.rung === "version";
      if (!isVersion || version === versions.at(-1)) throw error;
      options.logger.debug(
        { version },
        "server does not support this API version, trying an older one",
      );
    }
  }
  throw new DialError("version", "no API version to offer");
}

async function openVersion(options: AgentSocketOptions, apiVersion: string): Promise<AgentSocket> {
  const url = new URL(`${options.serverUrl.replace(/\/+$/, "")}/api/v2/workspaceagents/me/rpc`);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("role", options.role);
  url.searchParams.set("version", apiVersion);
  const socket = await dialSocket(url, {
    headers: { ...options.headers, "Coder-Session-Token": options.token },
    signal: options.signal,
    onRequest: options.onRequest,
  });
  options.onRung?.("rpc");
  return { socket, apiVersion };
}
