import { createServer, type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { Logger } from "@slipway/runtime";

import type { Service } from "../connections/accepted-connection.ts";
import { serveSocket } from "./api-socket.ts";
import { ClientConnection, type ConnectionTimes } from "./client-connection.ts";
import { ApiError } from "./errors.ts";
import { errorAnswer, respond, send } from "./respond.ts";
import type { ApiRequest, ApiRoute } from "./route.ts";
import { Router } from "./router.ts";

/** The time for the header of a request (docs/protocol/agent.md §8). */
const headersTimeoutMs = 20_000;
const checkEveryMs = 5000;
const maxHeaderBytes = 16 * 1024;
const defaultTimes: ConnectionTimes = { keepAliveMs: 30_000, stalledMs: 60_000 };
/** The maximum number of connections; further ones are closed. */
const maxConnections = 256;

interface ApiServiceOptions {
  readonly routes: readonly ApiRoute[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly times?: ConnectionTimes;
}

/** Serves routes of the agent's HTTP API (docs/protocol/agent.md §8), until the signal is aborted. */
export function createApiService({
  routes,
  logger,
  signal,
  times = defaultTimes,
}: ApiServiceOptions): Service {
  const router = new Router(routes);
  const clients = new WeakMap<Duplex, ClientConnection>();
  const server = createServer({
    // Streamed bodies take any time; the others have the time limit of their routes.
    requestTimeout: 0,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: checkEveryMs,
    keepAliveTimeout: times.keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
    shouldUpgradeCallback: ({ url = "/" }) => router.isSocket(url),
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const client = clients.get(request.socket);
    client?.began(response);
    void answer(request, response, client);
  });
  server.on("upgrade", (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    clients.get(connection)?.keep();
    void upgrade(request, connection, head);
  });

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    client: ClientConnection | undefined,
  ): Promise<void> {
    try {
      const { route, ...found } = router.find(request.method ?? "", request.url ?? "/");
      if (route.kind === "socket") throw new ApiError(426, "This route requires a WebSocket.");
      const asked = { ...found, headers: request.headers, signal: signalOf(response, signal) };
      const watchProgress = (): void => client?.watchProgress(request, asked.signal);
      await respond({ route, request, response, asked, watchProgress, logger });
    } catch (error) {
      await send(errorAnswer(error, { request, logger }), { request, response, logger });
    }
  }

  async function upgrade(
    request: IncomingMessage,
    connection: Duplex,
    head: Buffer,
  ): Promise<void> {
    try {
      const { route, ...found } = router.find("GET", request.url ?? "/");
      if (route.kind !== "socket") throw new ApiError(404, "There is no such route.");
      const asked: ApiRequest = {
        ...found,
        headers: request.headers,
        signal: signalOf(connection, signal),
      };
      const serve = await route.open(asked);
      if (connection.destroyed) return;
      const { maxMessageBytes } = route;
      serveSocket({ request, connection, head, maxMessageBytes, serve, logger });
    } catch (error) {
      refuseUpgrade(error, { request, connection, logger });
    }
  }

  let connections = 0;
  return {
    accept: (connection) => {
      connection.on("error", () => undefined);
      if (signal.aborted || connections >= maxConnections) {
        connection.destroy();
        return;
      }
      connections += 1;
      const stop = (): void => void connection.destroy();
      signal.addEventListener("abort", stop, { once: true });
      connection.once("close", () => {
        connections -= 1;
        signal.removeEventListener("abort", stop);
      });
      clients.set(connection, new ClientConnection(connection, times));
      server.emit("connection", connection);
    },
  };
}

/** The reason of the signals of requests that have ended. */
const requestEnded = new DOMException("the request has ended", "AbortError");

/** Returns a signal that is aborted when a response or a connection has closed, or the agent stops. */
function signalOf(carrier: ServerResponse | Duplex, stopping: AbortSignal): AbortSignal {
  const closed = new AbortController();
  carrier.once("close", () => closed.abort(requestEnded));
  return AbortSignal.any([closed.signal, stopping]);
}

interface RefusedUpgrade {
  readonly request: IncomingMessage;
  readonly connection: Duplex;
  readonly logger: Logger;
}

/** Answers on a connection that was to become a WebSocket, and closes it. */
function refuseUpgrade(error: unknown, { request, connection, logger }: RefusedUpgrade): void {
  if (connection.destroyed) return;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node.js writes to any stream
  response.assignSocket(connection as unknown as IncomingMessage["socket"]);
  response.once("finish", () => connection.end());
  void send(errorAnswer(error, { request, logger }), { request, response, logger });
}
