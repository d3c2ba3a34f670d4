import type { IncomingMessage } from "node:http";

import type { RpcSocket } from "@slipway/rpc";
import { abortable, certificateFor, proxyAgent, withSystemAuthorities } from "@slipway/runtime";
import WebSocket from "ws";

import { DialError } from "./errors.ts";
import { invalidFields, messageOf, readErrorBody } from "./explain-failure.ts";

interface DialSocketOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called when the request has been sent, while the server prepares its answer. */
  readonly onRequest: (() => void) | undefined;
}

const handshakeTimeoutMs = 30_000;
/** The maximum size of a message; a stock server ends its frames at this size or below (docs/protocol/rpc.md §1.3). */
const maxMessageBytes = 4 * 1024 * 1024;

/** Opens a WebSocket, paused until a session takes it over. Throws `DialError`, and the signal's reason. */
export function dialSocket(url: URL, options: DialSocketOptions): Promise<RpcSocket> {
  return withSystemAuthorities(() => dialOnce(url, options));
}

async function dialOnce(
  url: URL,
  { headers, signal, onRequest }: DialSocketOptions,
): Promise<RpcSocket> {
  signal.throwIfAborted();
  const agent = proxyAgent(url.protocol === "ws:");
  const socket = new WebSocket(url, {
    ...certificateFor(url),
    headers,
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    ...(agent === false ? {} : { agent }),
    finishRequest: (request) => {
      request.once("finish", () => onRequest?.());
      request.end();
    },
  });
  try {
    await abortable(handshake(socket, url, signal), signal);
  } catch (error) {
    socket.on("error", () => undefined);
    socket.terminate();
    throw error;
  }
  return rpcSocketOf(socket);
}

function handshake(socket: WebSocket, url: URL, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.pause();
      resolve();
    });
    socket.once("unexpected-response", (_request, response) => {
      void refusal(response).then(reject, reject);
    });
    socket.once("error", (cause) => {
      void explained(cause, url, signal).then(reject, reject);
    });
  });
}

/** Explains a failure, with a module that an agent loads only then. */
async function explained(cause: unknown, url: URL, signal: AbortSignal): Promise<DialError> {
  const { explainFailure } = await import("./explain-failure.ts");
  return explainFailure(cause, url, signal);
}

/** Returns the error, with its rung, for a server that answered without upgrading (docs/protocol/rpc.md §1.1). */
async function refusal(response: IncomingMessage): Promise<DialError> {
  const status = response.statusCode ?? 0;
  // The status says enough if the text is lost on the way.
  const body = await readErrorBody(response).catch(() => "");
  const text = messageOf(body) ?? "";
  const fields = invalidFields(body);
  const message = `the server answered ${status}${text === "" ? "" : `: ${text}`}`;
  if (status === 401 || status === 403)
    return new DialError("authentication", message, { status, fields });
  if (status === 400 && text === "Unknown or unsupported API version") {
    return new DialError("version", message, { status });
  }
  const isUpgrade = status < 300 || status === 426;
  return new DialError(isUpgrade ? "upgrade" : "http", message, { status });
}

/** The time after which an unanswered close is forced. */
const closeTimeoutMs = 2_000;

/** Lends an open socket to a session. */
export function rpcSocketOf(socket: WebSocket): RpcSocket {
  const gone = new AbortController();
  socket.on("close", (code, reason) =>
    gone.abort(new Error(`socket closed with ${code} ${reason.toString()}`.trim())),
  );
  socket.on("error", (error) => gone.abort(error));
  return {
    raw: socket,
    signal: gone.signal,
    close: (code, reason) => {
      if (socket.readyState === socket.CLOSED) return;
      socket.close(code, reason);
      const timer = setTimeout(() => socket.terminate(), closeTimeoutMs);
      socket.once("close", () => clearTimeout(timer));
    },
  };
}
