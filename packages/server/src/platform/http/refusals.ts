import { errorText, type Logger } from "@slipway/runtime";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { AllowedMethods } from "./allowed-methods.ts";
import { HttpError } from "./errors.ts";
import { encodeJson } from "./json.ts";
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
      isLong ? "A part of the path is too long." : "The path is not a valid URL.",
      { detail: `Found "${request.url.slice(0, 200)}".` },
    );
    void sendRefusal(reply, counted(limits, request, reply, refusal));
  };
}

/** Returns the refusal of a request that no route counts, or the 429 if it exceeds the limit. */
function counted(
  limits: RequestLimits,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: HttpError,
): HttpError {
  try {
    limits.countUnadmitted(request, reply);
    return refusal;
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
}

/** Answers unknown paths and methods, and whatever a route throws. */
export function answerRefusals(app: FastifyInstance, limits: RequestLimits, logger: Logger): void {
  const methods = collectMethods(app);
  app.setNotFoundHandler(async (request, reply) => {
    limits.countUnadmitted(request, reply);
    const allowed = methods.of(request.url.split("?", 1)[0] ?? "");
    if (allowed.length > 0) return reply.code(405).header("Allow", allowed.join(", ")).send();
    return sendRefusal(reply, new HttpError(404, "Route not found."));
  });
  app.setErrorHandler<FastifyError | HttpError>(async (error, request, reply) => {
    const known = asHttpError(error);
    if (known !== undefined) return sendRefusal(reply, known);
    logger.error(
      {
        method: request.method,
        path: request.routeOptions.url,
        error: errorText(error),
        stack: error.stack,
      },
      "request failed",
    );
    return sendRefusal(reply, new HttpError(500, "An internal server error occurred."));
  });
}

/** Serializes the body itself, because outside routes our serializer does not apply. */
function sendRefusal(reply: FastifyReply, { status, headers, body }: HttpError): FastifyReply {
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

function asHttpError(error: FastifyError | HttpError): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new HttpError(413, "Request body is too large.", { detail: error.message });
  }
  const status = error.statusCode ?? 500;
  return status < 500 ? new HttpError(status, error.message) : undefined;
}
