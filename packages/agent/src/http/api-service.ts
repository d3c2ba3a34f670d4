import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { type Clock, errorText, type Logger, readBounded } from "@slipway/runtime";

import type { Service } from "../connections/accepted-connection.ts";
import { ApiError } from "./errors.ts";
import { listDirectory } from "./list-directory.ts";
import { ListeningPorts } from "./listening-ports.ts";

/** The timeout of a request, of its headers, and of its response (docs/protocol/agent.md §8). */
const timeoutMs = 20_000;
const checkEveryMs = 5000;
const maxHeaderBytes = 16 * 1024;
const maxBodyBytes = 1024 * 1024;
/** The maximum number of connections; further ones are closed. */
const maxConnections = 256;

export interface ApiOptions {
  readonly clock: Clock;
  readonly home: string;
  /** The agent's own ports, which are not listed. */
  readonly ownPorts: ReadonlySet<number>;
  /** Resolves to the network report, as JSON. */
  readonly netcheck: () => Promise<object>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface ApiRequest {
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

type Handler = (request: ApiRequest) => Promise<object>;

/** Serves the agent's HTTP API (docs/protocol/agent.md §8), until the signal is aborted. */
export function createApiService(options: ApiOptions): Service {
  const { logger, signal } = options;
  const routes = routesOf(options);
  const server = createServer({
    requestTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: checkEveryMs,
    maxHeaderSize: maxHeaderBytes,
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    // Disconnects a client that does not read its response.
    const late = setTimeout(() => request.socket.destroy(), timeoutMs);
    response.once("close", () => clearTimeout(late));
    void respond(routes, request, response, logger);
  });
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
      server.emit("connection", connection);
    },
  };
}

function routesOf({ clock, home, ownPorts, netcheck }: ApiOptions): ReadonlyMap<string, Handler> {
  const ports = new ListeningPorts(clock, ownPorts);
  return new Map<string, Handler>([
    ["GET /", async () => ({ message: "The agent of this workspace is listening." })],
    ["GET /api/v0/listening-ports", async () => ({ ports: await ports.list() })],
    ["GET /api/v0/netcheck", async () => netcheck()],
    [
      "GET /api/v0/containers",
      async () => {
        throw new ApiError(403, "Containers are not supported by this agent.");
      },
    ],
    [
      "POST /api/v0/list-directory",
      async ({ query, body }) => listDirectory(query, parseBody(body), home),
    ],
  ]);
}

async function respond(
  routes: ReadonlyMap<string, Handler>,
  request: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
): Promise<void> {
  try {
    const url = URL.parse(`http://agent${request.url ?? "/"}`);
    if (url === null) throw new ApiError(400, "The path of the request cannot be read.");
    const handler = routes.get(`${request.method ?? ""} ${url.pathname}`);
    if (handler === undefined) throw new ApiError(404, "There is no such route.");
    const body = await readBody(request);
    send(response, 200, await handler({ query: url.searchParams, body }));
  } catch (error) {
    if (error instanceof ApiError) {
      const { status, message, detail } = error;
      send(response, status, detail === undefined ? { message } : { message, detail });
    } else {
      logger.error({ error: errorText(error), path: request.url }, "request failed");
      send(response, 500, { message: "The request failed.", detail: errorText(error) });
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const body = await readBounded(request, maxBodyBytes).catch((error: unknown) => {
    throw new ApiError(400, "The request is incomplete.", errorText(error));
  });
  if (body === undefined) throw new ApiError(413, "The body of the request is too large.");
  return body;
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new ApiError(400, "The body of the request is not JSON.", errorText(error));
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": bytes.length,
  });
  response.end(bytes);
}
