import type { IncomingMessage } from "node:http";

import type { RpcSocket } from "@slipway/rpc";
import { abortable, type Logger } from "@slipway/runtime";
import WebSocket from "ws";

import { messageOf, readErrorBody } from "./error-body.ts";
import { DialError, type Rung } from "./errors.ts";
import { rpcSocketOf } from "./rpc-socket.ts";

/**
 * An open WebSocket for an agent's session, paused until `openSession` takes it over. Its opener closes it, or the session
 * made of it.
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
  /** Called as each request has left, while the server prepares its answer. */
  readonly onRequest?: () => void;
}

/** The versions to offer, newest first: all that this agent needs exists since the last (docs/protocol/rpc.md §1.2). */
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
const handshakeTimeoutMs = 30_000;
/** A stock server closes its frames at this size or below (docs/protocol/rpc.md §1.3). */
const maxMessageBytes = 4 * 1024 * 1024;

/**
 * Opens the WebSocket of an agent's session and steps down to an older API version where the server asks for it. Throws
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
        "server does not take this API version, trying an older one",
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
  options.signal.throwIfAborted();
  const socket = new WebSocket(url, {
    headers: { ...options.headers, "Coder-Session-Token": options.token },
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    finishRequest: (request) => {
      request.once("finish", () => options.onRequest?.());
      request.end();
    },
  });
  try {
    await abortable(handshake(socket, url, options), options.signal);
  } catch (error) {
    socket.on("error", () => undefined);
    socket.terminate();
    throw error;
  }
  options.onRung?.("rpc");
  return { socket: rpcSocketOf(socket), apiVersion };
}

function handshake(socket: WebSocket, url: URL, options: AgentSocketOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.pause();
      resolve();
    });
    socket.once("unexpected-response", (_request, response) => {
      void refusal(response).then(reject, reject);
    });
    socket.once("error", (cause) => {
      void explained(cause, url, options.signal).then(reject, reject);
    });
  });
}

/** Explains a failure by a module that an agent loads only then. */
async function explained(cause: unknown, url: URL, signal: AbortSignal): Promise<DialError> {
  const { explainFailure } = await import("./explain-failure.ts");
  return explainFailure(cause, url, signal);
}

/** Finds the rung for a server that answered without upgrading (docs/protocol/rpc.md §1.1). */
async function refusal(response: IncomingMessage): Promise<DialError> {
  const status = response.statusCode ?? 0;
  // The status says enough when the text is lost on the way.
  const text = messageOf(await readErrorBody(response).catch(() => "")) ?? "";
  const message = `the server answered ${status}${text === "" ? "" : `: ${text}`}`;
  if (status === 401 || status === 403) return new DialError("authentication", message, { status });
  if (status === 400 && text === "Unknown or unsupported API version") {
    return new DialError("version", message, { status });
  }
  const isUpgrade = status < 300 || status === 426;
  return new DialError(isUpgrade ? "upgrade" : "http", message, { status });
}
