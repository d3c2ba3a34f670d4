import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";

import websocket from "@fastify/websocket";
import { errorText, type Logger } from "@slipway/runtime";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";

import { AllowedMethods } from "./allowed-methods.ts";
import { HttpError, invalidField } from "./errors.ts";
import { isTooDeep, maxJsonDepth } from "./json-depth.ts";
import { encodeJson } from "./json.ts";
import { unstorableField } from "./storable-text.ts";
import { createValidator, validationError } from "./validation.ts";

/** Largest JSON body, in bytes. Routes that take files say their own. */
const maxBodyBytes = 1024 * 1024;
/** Largest WebSocket message from a peer: no yamux frame of a Go peer is larger (`rpc.md` section 1.3). */
const maxSocketMessageBytes = 4 * 1024 * 1024;
/** A client that does not finish its request within this time is cut off; Node.js looks every now and then. */
const defaultRequestTimeoutMs = 60_000;
const lookForSlowClientsMs = 10_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The body is handed on as the bytes that came. */
    readonly rawBody?: boolean;
  }
}

/** What agents send of what their scripts print is cleaned, not refused. */
const agentsOwnPath = "/workspaceagents/me/";

function unstorableText(field: string): HttpError {
  const detail = "must not hold the character U+0000 or half a surrogate pair";
  return invalidField(field === "" ? "body" : field, detail);
}

interface HttpServerOptions {
  readonly trustedProxies?: readonly string[];
  readonly requestTimeoutMs?: number;
}

/** The listener with what every answer has in common; the features add their routes. */
export async function createHttpServer(
  buildVersion: string,
  logger: Logger,
  { trustedProxies = [], requestTimeoutMs = defaultRequestTimeoutMs }: HttpServerOptions = {},
): Promise<FastifyInstance> {
  const app = Fastify({
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(requestTimeoutMs, lookForSlowClientsMs),
    },
    frameworkErrors: refuseUrl,
    forceCloseConnections: "idle",
    genReqId: () => randomUUID(),
    logger: false,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 512 },
  });
  const validator = createValidator();
  app.setValidatorCompiler(({ schema, httpPart, url }) => {
    const check = validator.compile(schema as object);
    const isCleaned = httpPart === "body" && url.includes(agentsOwnPath);
    return (data: unknown) => {
      if (!check(data)) return { error: validationError(check.errors ?? []) };
      const field = isCleaned ? undefined : unstorableField(data);
      return field === undefined ? { value: data } : { error: unstorableText(field) };
    };
  });
  app.setSerializerCompiler(() => encodeJson);
  app.setReplySerializer(encodeJson);
  acceptAnyContentType(app);
  addCommonHeaders(app, buildVersion);
  answerErrors(app, collectMethods(app), logger);
  await app.register(websocket, {
    options: { maxPayload: maxSocketMessageBytes, perMessageDeflate: false },
  });
  return app;
}

/** A path that is no URL, or has a part that is too long: nothing of ours has seen it yet. */
function refuseUrl(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const isLong = error.code === "FST_ERR_MAX_PARAM_LENGTH";
  void reply
    .code(isLong ? 414 : 400)
    .type("application/json; charset=utf-8")
    .serializer(encodeJson)
    .send({
      message: isLong ? "A part of the path is too long." : "The path is not a valid URL.",
      detail: `Found "${request.url.slice(0, 200)}".`,
    });
}

/** Bodies are JSON whatever their `Content-Type` says (`rest.md` section 1.6), but where a route takes bytes. */
function acceptAnyContentType(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>("*", { parseAs: "buffer" }, (request, body, done) => {
    if (request.routeOptions.config.rawBody === true) return done(null, body);
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, parseBody(body));
    } catch (error) {
      done(new HttpError(400, "Request body must be valid JSON.", { detail: errorText(error) }));
    }
  });
}

function parseBody(body: Buffer): unknown {
  if (!isUtf8(body)) throw new SyntaxError("found bytes that are not UTF-8");
  if (isTooDeep(body)) {
    throw new SyntaxError(`found more than ${maxJsonDepth} arrays and objects inside one another`);
  }
  return JSON.parse(body.toString("utf8"));
}

function addCommonHeaders(app: FastifyInstance, buildVersion: string): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "X-Coder-Request-Id": request.id,
      "X-Coder-Build-Version": buildVersion,
      "X-Content-Type-Options": "nosniff",
      Vary: ["Origin", "Cookie"],
    });
    requireSameOrigin(request);
  });
}

/**
 * A page of another site may not open our sockets nor change anything with the visitor's cookie
 * (`rest.md` section 1.8). Programs send no `Origin`.
 */
function requireSameOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  const isSocket = request.headers.upgrade !== undefined;
  const isSafe = request.method === "GET" || request.method === "HEAD";
  if (isSafe && !isSocket) return;
  const originHost = URL.canParse(origin) ? new URL(origin).host : "";
  // The host that the visitor asked for, also where a trusted proxy asks for another one.
  if (originHost.toLowerCase() === request.host.toLowerCase()) return;
  throw new HttpError(403, `Origin "${origin}" is not this server.`);
}

/** Notes the routes that are added from now on. */
function collectMethods(app: FastifyInstance): AllowedMethods {
  const methods = new AllowedMethods();
  app.addHook("onRoute", ({ method, url }) => {
    // HEAD comes with each GET.
    for (const one of [method].flat()) if (one !== "HEAD") methods.add(one, url);
  });
  return methods;
}

function answerErrors(app: FastifyInstance, methods: AllowedMethods, logger: Logger): void {
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = methods.of(request.url.split("?", 1)[0] ?? "");
    if (allowed.length > 0) return reply.code(405).header("Allow", allowed.join(", ")).send();
    // The reply serializer above is for routes only.
    return reply
      .code(404)
      .type("application/json; charset=utf-8")
      .serializer(encodeJson)
      .send({ message: "Route not found." });
  });
  app.setErrorHandler<FastifyError | HttpError>(async (error, request, reply) => {
    const known = asHttpError(error);
    if (known !== undefined)
      return reply.code(known.status).headers(known.headers).send(known.body);
    logger.error(
      {
        method: request.method,
        path: request.routeOptions.url,
        error: errorText(error),
        stack: error.stack,
      },
      "request failed",
    );
    return reply.code(500).send({ message: "An internal server error occurred." });
  });
}

function asHttpError(error: FastifyError | HttpError): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new HttpError(413, "Request body is too large.", { detail: error.message });
  }
  const status = error.statusCode ?? 500;
  return status < 500 ? new HttpError(status, error.message) : undefined;
}
