import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { errorText, type Logger, readBounded } from "@slipway/runtime";

import { ApiError } from "./errors.ts";
import { type ApiAnswer, type ApiRequest, type ApiRoute, jsonAnswer } from "./route.ts";

/** The time for a plain request and its answer (docs/protocol/agent.md §8). */
const defaultTimeoutMs = 20_000;
const defaultBodyBytes = 1024 * 1024;

/** A request, and the route that answers it. */
export interface Exchange {
  readonly route: Exclude<ApiRoute, { readonly kind: "socket" }>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly asked: ApiRequest;
  /** Disconnects the client once bytes have stopped to move, until the response ends. */
  readonly watchProgress: () => void;
  readonly logger: Logger;
}

/** Answers a request by its route. Never rejects. */
export async function respond(exchange: Exchange): Promise<void> {
  const { route, request, asked } = exchange;
  // Disconnects a client that does not send its body, or does not read its answer.
  const late = setTimeout(() => request.socket.destroy(), route.timeoutMs ?? defaultTimeoutMs);
  const onTime = (): void => clearTimeout(late);
  asked.signal.addEventListener("abort", onTime, { once: true });
  if (route.kind === "stream") {
    onTime();
    exchange.watchProgress();
  }
  const answer = await answerOf(exchange);
  if (answer.content.kind === "stream" && route.kind !== "stream") {
    onTime();
    exchange.watchProgress();
  }
  await send(answer, exchange);
}

async function answerOf(exchange: Exchange): Promise<ApiAnswer> {
  try {
    return await handle(exchange);
  } catch (error) {
    return errorAnswer(error, exchange);
  }
}

async function handle({ route, request, asked }: Exchange): Promise<ApiAnswer> {
  switch (route.kind) {
    case "plain":
      return route.handle(asked);
    case "json": {
      const bytes = await readBody(request, route.maxBodyBytes ?? defaultBodyBytes);
      return route.handle({ ...asked, body: parseBody(bytes) });
    }
    case "stream":
      return route.handle({ ...asked, body: request });
  }
}

/** Returns the response to a failed request. */
export function errorAnswer(
  error: unknown,
  { request, logger }: Pick<Exchange, "request" | "logger">,
): ApiAnswer {
  if (error instanceof ApiError) return jsonAnswer(error.body, { status: error.status });
  const detail = errorText(error);
  // The client's own disconnect is no failure.
  if (!request.socket.destroyed)
    logger.error({ error: detail, path: request.url }, "request failed");
  return jsonAnswer({ message: "The request failed.", detail }, { status: 500 });
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const body = await readBounded(request.iterator({ destroyOnReturn: false }), maxBytes).catch(
    (error: unknown) => {
      throw new ApiError(400, "The request is incomplete.", { detail: errorText(error) });
    },
  );
  if (body !== undefined) return body;
  const detail = `The maximum is ${maxBytes} bytes.`;
  throw new ApiError(413, "The body of the request is too large.", { detail });
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new ApiError(400, "The body of the request is not JSON.", { detail: errorText(error) });
  }
}

/** Sends an answer. A stream that fails disconnects the client, which then knows that the answer is incomplete. */
export async function send(
  { status, headers, content }: ApiAnswer,
  { request, response, logger }: Pick<Exchange, "request" | "response" | "logger">,
): Promise<void> {
  if (response.destroyed || response.headersSent) {
    if (content.kind === "stream") content.stream.destroy();
    return;
  }
  // A client may send all of its body before it reads the answer. The rest is dropped, and the connection ends if that
  // takes long.
  if (!request.complete) response.once("finish", () => request.resume());
  switch (content.kind) {
    case "none":
      response.writeHead(status, headers).end();
      return;
    case "json": {
      const bytes = Buffer.from(`${JSON.stringify(content.value)}\n`);
      const type = { "content-type": "application/json; charset=utf-8" };
      response
        .writeHead(status, { ...type, "content-length": bytes.length, ...headers })
        .end(bytes);
      return;
    }
    case "bytes":
      response.writeHead(status, { "content-length": content.bytes.length, ...headers });
      response.end(content.bytes);
      return;
    case "stream":
      response.writeHead(status, headers);
      try {
        await pipeline(content.stream, response);
      } catch (error) {
        logger.debug({ error: errorText(error), path: request.url }, "answer interrupted");
        request.socket.destroy();
      }
  }
}
