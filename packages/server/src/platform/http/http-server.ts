import { randomUUID } from "node:crypto";

import websocket from "@fastify/websocket";
import { type Logger, systemClock, UnfinishedBytes } from "@slipway/runtime";
import Fastify, { type FastifyInstance } from "fastify";

import { type Invalid, invalidField } from "../errors/errors.ts";
import { unstorableField } from "../fields/storable-text.ts";
import { createValidator, validationError } from "../fields/validation.ts";
import { acceptBodies, limitBodyTime } from "./bodies.ts";
import { noErrorLogging } from "./html-page.ts";
import { InboundTurns } from "./inbound-turns.ts";
import { encodeJson } from "./json.ts";
import { answerRefusals, refuseMalformed, refuseUrl } from "./refusals.ts";
import { RequestLimits } from "./request-limits.ts";
import { isFromOtherSite, otherSite } from "./same-origin.ts";
import { feedSockets } from "./socket-feed.ts";
import { freeRefusedUpgrades, isUpgrade } from "./upgrades.ts";

/** The maximum size of the body of a page's form, in bytes; routes of the contract set their own. */
const maxFormBytes = 16 * 1024;
/** The maximum size of a WebSocket message of any route, in bytes; each has its own limit below it (socket-feed.ts). */
const maxSocketMessageBytes = 1024 * 1024;
/** The maximum number of parts of a WebSocket message. */
const maxMessageParts = 1_024;
/** The time a client has to complete its request before it is disconnected; Node.js checks periodically. */
const defaultRequestTimeoutMs = 60_000;
const lookForSlowClientsMs = 10_000;
/**
 * Longer than any plain request waits for its answer; WebSockets and event streams monitor their clients themselves.
 */
const defaultIdleTimeoutMs = 120_000;

/** Script output from agents is cleaned, not refused. */
const agentsOwnPath = "/workspaceagents/me/";

function unstorableText(field: string): Invalid {
  const detail = "must not contain the character U+0000 or an unpaired surrogate";
  return invalidField(field === "" ? "body" : field, detail);
}

interface HttpServerOptions {
  readonly trustedProxies?: readonly string[];
  readonly requestTimeoutMs?: number;
  /** Counts the requests that no route counts. */
  readonly limits?: RequestLimits;
  /** Returns the URL at which pages reach the server; known once it listens. */
  readonly accessUrl?: () => string;
  /** The time without traffic on a plain request after which a client is disconnected. */
  readonly idleTimeoutMs?: number;
  /** Counts the bytes that have arrived of incomplete requests and messages. */
  readonly unfinished?: UnfinishedBytes;
  /** The turns in which requests and messages are read. */
  readonly turns?: InboundTurns;
}

/** The bytes of unfinished requests and messages of a server whose opener sets no limit. */
const defaultUnfinished = { maxBytes: 128 * 1024 * 1024, timeoutMs: defaultRequestTimeoutMs };

/** Checks the requests of all servers of this process: small ones thoroughly, and large ones until the first fault. */
const thorough = createValidator({ findsAll: true });
const brief = createValidator({ findsAll: false });

/** Creates the listener with everything that all answers share; the features add their routes. */
export async function createHttpServer(
  buildVersion: string,
  logger: Logger,
  {
    trustedProxies = [],
    requestTimeoutMs = defaultRequestTimeoutMs,
    limits = new RequestLimits(systemClock),
    accessUrl = () => "",
    idleTimeoutMs = defaultIdleTimeoutMs,
    unfinished = new UnfinishedBytes(defaultUnfinished),
    turns = new InboundTurns(),
  }: HttpServerOptions = {},
): Promise<FastifyInstance> {
  const app = Fastify({
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: maxFormBytes,
    // The bodies of those that Fastify answers have their own deadline (bodies.ts).
    requestTimeout: 0,
    connectionTimeout: idleTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(requestTimeoutMs, lookForSlowClientsMs),
      shouldUpgradeCallback: isUpgrade,
    },
    frameworkErrors: refuseUrl(limits),
    clientErrorHandler: refuseMalformed,
    forceCloseConnections: "idle",
    genReqId: () => randomUUID(),
    logger: false,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 512 },
  });
  const { isLarge } = acceptBodies(app, { unfinished, clock: systemClock });
  app.setValidatorCompiler(({ schema, httpPart, url }) => {
    const isCleaned = httpPart === "body" && url.includes(agentsOwnPath);
    return (data: unknown) => {
      // Compiled when the first request needs it, and kept: compiling those of all routes takes a quarter of a start.
      const check = (isLarge(data) ? brief : thorough).compile(schema as object);
      if (!check(data)) return { error: validationError(check.errors ?? []) };
      const field = isCleaned ? undefined : unstorableField(data);
      return field === undefined ? { value: data } : { error: unstorableText(field) };
    };
  });
  app.setSerializerCompiler(() => encodeJson);
  app.setReplySerializer(encodeJson);
  // First: an earlier hook that refuses an upgrade would leave the connection open (upgrades.ts).
  await app.register(websocket, {
    options: {
      maxPayload: maxSocketMessageBytes,
      maxFragments: maxMessageParts,
      perMessageDeflate: false,
    },
    // The default handler resets the connection, and the peer may not learn why: `ws` has sent a close, which
    // peer-socket.ts completes.
    errorHandler: (error, socket) => {
      logger.debug({ error: error.message }, "socket error");
      socket.close(1011);
    },
  });
  freeRefusedUpgrades(app, requestTimeoutMs);
  feedSockets(app, { turns, unfinished, clock: systemClock });
  limitBodyTime(app, requestTimeoutMs);
  addCommonHeaders(app, { buildVersion, limits, accessUrl });
  answerRefusals(app, limits, logger);
  return app;
}

function addCommonHeaders(
  app: FastifyInstance,
  {
    buildVersion,
    limits,
    accessUrl,
  }: {
    readonly buildVersion: string;
    readonly limits: RequestLimits;
    readonly accessUrl: () => string;
  },
): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "X-Coder-Request-Id": request.id,
      "X-Coder-Build-Version": buildVersion,
      "X-Content-Type-Options": "nosniff",
      NEL: noErrorLogging,
      Vary: ["Origin", "Cookie"],
    });
    if (isFromOtherSite(request, accessUrl())) {
      limits.countUnadmitted(request, reply);
      throw otherSite(request);
    }
  });
}
