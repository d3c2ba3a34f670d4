import type { Socket } from "node:net";

import { errorText, type Logger } from "@slipway/runtime";
import type {
  ConnectionError,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
} from "fastify";

import { isOutage } from "../db/errors.ts";
import { NotFound, SeveralSessions, Unavailable } from "../errors/errors.ts";
import { answerOf, type ErrorAnswer, findAnswer, plainAnswer } from "./error-answer.ts";
import { HttpError } from "./errors.ts";
import { encodeJson } from "./json.ts";
import { isNavigation, sendNotFoundPage, sendSeveralSessions, wantsPage } from "./refusal-pages.ts";
import type { RequestLimits } from "./request-limits.ts";
import { freeAfterAnswer } from "./upgrades.ts";

/** Answers a path that is not a URL, or has a part that is too long. Fastify runs no hooks for it. */
export function refuseUrl(
  limits: RequestLimits,
): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void {
  return ({ code }, request, reply) => {
    freeAfterAnswer(request, reply);
    const isLong = code === "FST_ERR_MAX_PARAM_LENGTH";
    const refusal = new HttpError(
      isLong ? 414 : 400,
      isLong ? "A segment of the path is too long." : "The path is not a valid URL.",
      { detail: `Found "${request.url.slice(0, 200)}".` },
    );
    void sendAnswer(reply, countedAnswer(limits, request, reply, refusal));
  };
}

/** Returns the answer to a request that no route counts: the refusal, or the 429 if it exceeds the limit. */
function countedAnswer(
  limits: RequestLimits,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: HttpError,
): ErrorAnswer {
  try {
    limits.countUnadmitted(request, reply);
    return answerOf(refusal);
  } catch (error) {
    const answer = findAnswer(error);
    if (answer === undefined) throw error;
    return answer;
  }
}

/** Answers unknown paths and methods, and whatever a route throws. */
export function answerRefusals(app: FastifyInstance, limits: RequestLimits, logger: Logger): void {
  const methods = collectMethods(app);
  app.setNotFoundHandler(async (request, reply) => {
    limits.countUnadmitted(request, reply);
    const allowed = methods.of(request.url.split("?", 1)[0] ?? "");
    if (allowed.length > 0) return reply.code(405).header("Allow", allowed.join(", ")).send();
    if (wantsPage(request)) return sendNotFoundPage(reply);
    return sendAnswer(reply, answerOf(new NotFound("Route not found.")));
  });
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const answer = findAnswer(error) ?? frameworkAnswer(error);
    if (error instanceof SeveralSessions && isNavigation(request.raw)) {
      return sendSeveralSessions(reply, error);
    }
    if (answer !== undefined) return sendAnswer(reply, answer);
    if (isGone(request, error)) return sendAnswer(reply, answerOf(disconnected()));
    const fields = {
      method: request.method,
      path: request.routeOptions.url,
      error: errorText(error),
    };
    if (isOutage(error)) {
      logger.warn(fields, "request failed: database unavailable");
      return sendAnswer(reply, answerOf(new Unavailable("The database is not available.")));
    }
    logger.error({ ...fields, stack: error.stack }, "request failed");
    return sendAnswer(reply, answerOf(new HttpError(500, "An internal server error occurred.")));
  });
}

/** Returns whether a request failed because its client did not wait for the answer (`watchClient`). */
function isGone({ raw: { socket } }: FastifyRequest, { name }: Error): boolean {
  return name === "AbortError" && socket.destroyed;
}

/** Returns an answer that no one reads: the client is gone, which is not a failure of the server. */
function disconnected(): HttpError {
  return new HttpError(499, "The client disconnected.");
}

/** Serializes the body itself, because outside routes our serializer does not apply. */
function sendAnswer(reply: FastifyReply, { status, headers, body }: ErrorAnswer): FastifyReply {
  return reply
    .code(status)
    .headers(headers)
    .type("application/json; charset=utf-8")
    .serializer(encodeJson)
    .send(body);
}

/** Collects the routes that are added from now on. */
function collectMethods(app: FastifyInstance): AllowedMethods {
  const methods = new AllowedMethods();
  app.addHook("onRoute", ({ method, url }) => {
    // Every GET implies HEAD.
    for (const one of [method].flat()) if (one !== "HEAD") methods.add(one, url);
  });
  return methods;
}

/** Returns the answer for an error of Fastify; undefined if it is a fault of the server. */
function frameworkAnswer(error: FastifyError): ErrorAnswer | undefined {
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const refusal = new HttpError(413, "Request body is too large.", { detail: error.message });
    return answerOf(refusal);
  }
  const status = error.statusCode ?? 500;
  return status < 500 ? answerOf(new HttpError(status, error.message)) : undefined;
}

/** Answers a connection on which Node.js could read no request, as a route answers, and closes it. */
export function refuseMalformed(error: ConnectionError, socket: Socket): void {
  // The client is gone: no one reads an answer.
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (socket.writable) socket.write(plainAnswer(refusalOf(error)));
  socket.destroy(error);
}

function refusalOf(error: ConnectionError): HttpError {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new HttpError(431, "The header fields of the request are too large.");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new HttpError(413, "The extensions of a chunk are too large.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpError(408, "The request was not sent in time.");
    default: {
      const reason: unknown = Reflect.get(error, "reason");
      const message = "The request is not valid HTTP.";
      return typeof reason === "string" && reason !== ""
        ? new HttpError(400, message, { detail: `${reason}.` })
        : new HttpError(400, message);
    }
  }
}

/** The methods of a server's paths, so that a wrong method can be told from a wrong path. */
export class AllowedMethods {
  readonly #routes: { readonly method: string; readonly segments: readonly string[] }[] = [];

  /** Adds a route; `url` names parameters as `:name`. */
  add(method: string, url: string): void {
    this.#routes.push({ method, segments: segmentsOf(url) });
  }

  /** Returns the methods of all routes that match a path, sorted. */
  of(path: string): readonly string[] {
    const asked = segmentsOf(path);
    const matching = this.#routes.filter(
      ({ segments }) =>
        segments.length === asked.length &&
        segments.every((segment, index) => segment.startsWith(":") || segment === asked[index]),
    );
    return [...new Set(matching.map(({ method }) => method))].toSorted();
  }
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((segment) => segment !== "");
}
