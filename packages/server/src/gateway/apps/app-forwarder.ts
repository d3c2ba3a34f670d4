import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished, pipeline } from "node:stream/promises";

import type { Clock } from "@slipway/runtime";

import type { RequestedUpgrade } from "../../platform/http/divert-requests.ts";
import type { OpenedApp } from "./app-access.ts";
import type { AppConnections } from "./app-connections.ts";
import type { AppGrant } from "./app-grants.ts";
import type { AppMetrics } from "./app-metrics.ts";
import type { AppRequest } from "./app-request.ts";
import { AppError, forwardRequest } from "./forward-request.ts";
import { forwardedHeaders, wantsTrailers, withoutOwnParameters } from "./request-headers.ts";
import { viewedHeaders, viewedTrailers } from "./response-headers.ts";

/** A request whose viewer may open the app. */
export interface AppExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgrade: RequestedUpgrade | undefined;
  readonly asked: AppRequest;
  /** Fields that the server adds to the answer, as names and values in turn. */
  readonly added: readonly string[];
}

/** The smallest status of a final answer (RFC 9110 section 15). */
const minFinalStatus = 200;

interface AppForwarderNeeds {
  readonly connections: AppConnections;
  readonly clock: Pick<Clock, "monotonic">;
  readonly metrics: Pick<AppMetrics, "firstByte">;
  readonly timeoutMs: number;
  /** True if browsers isolate apps that are opened by a path. */
  readonly isSandboxed: boolean;
}

/** Passes requests on to apps, and their answers to viewers. */
export class AppForwarder {
  readonly #needs: AppForwarderNeeds;

  constructor(needs: AppForwarderNeeds) {
    this.#needs = needs;
  }

  /**
   * Passes a request on and waits for the end of its answer. Before anything was answered, throws `AppError` and the
   * error of an unreachable agent.
   */
  async forward(
    exchange: AppExchange,
    { app, identity }: Pick<AppGrant, "app" | "identity">,
  ): Promise<"answered" | "upgraded"> {
    const { connections, clock, metrics, timeoutMs } = this.#needs;
    const { request, response, asked, upgrade } = exchange;
    const { client, basePath } = asked;
    const isUpgrade = upgrade !== undefined;
    const beganAt = clock.monotonic();
    const answer = await forwardRequest({
      request,
      response,
      path: pathOf(asked, app),
      headers: forwardedHeaders(request, { client, basePath, isUpgrade }),
      isUpgrade,
      agent: connections.to(app, identity),
      timeoutMs,
    });
    metrics.firstByte((clock.monotonic() - beganAt) / 1000);
    const headers = this.#viewedHeaders(answer.response, exchange, app);
    const { statusCode = 0 } = answer.response;
    if (answer.type === "response" && statusCode < minFinalStatus) {
      answer.response.destroy();
      throw new AppError("malformed", `the answer has the status ${statusCode}`);
    }
    if (answer.type === "response") {
      await answerViewer(answer.response, response, headers);
      return "answered";
    }
    if (upgrade === undefined || !isOffered(answer.response, request)) {
      answer.stream.destroy();
      throw new AppError("malformed", "the app changed to a protocol that was not asked for");
    }
    response.detachSocket(upgrade.socket);
    if (upgrade.head.length > 0) upgrade.socket.unshift(upgrade.head);
    const { connection, upgrade: protocol } = answer.response.headers;
    const agreed = ["Connection", connection ?? "Upgrade", "Upgrade", protocol ?? ""];
    await joinUpgraded(upgrade.socket, answer.response, {
      headers: [...headers, ...agreed],
      stream: answer.stream,
      head: answer.head,
    });
    return "upgraded";
  }

  #viewedHeaders(
    answer: IncomingMessage,
    { asked, added }: AppExchange,
    { cors }: OpenedApp,
  ): string[] {
    const { basePath, address } = asked;
    const isSandboxed = this.#needs.isSandboxed && address.access === "path";
    const isCorsKept = cors === "passthru";
    return viewedHeaders(answer, { basePath, isSandboxed, isCorsKept, added });
  }
}

/** Returns whether the protocol of an answer is one of those of the request (RFC 9110 section 7.8). */
function isOffered(answer: IncomingMessage, request: IncomingMessage): boolean {
  const offered = protocolsOf(request);
  return protocolsOf(answer).every((protocol) => offered.includes(protocol));
}

function protocolsOf({ headers: { upgrade = "" } }: IncomingMessage): readonly string[] {
  return upgrade.split(",").map((protocol) => protocol.trim().toLowerCase());
}

/** Returns the path and the query for the app: below the path of its URL. */
function pathOf({ path, query }: AppRequest, { url }: OpenedApp): string {
  return `${url.path}${path === "" ? "/" : path}${withoutOwnParameters(query)}`;
}

/** The time for the other side of an upgraded connection to end too. */
const halfClosedMs = 10_000;

/** Sends an app's response to its viewer as fast as the viewer takes it; ends when either leaves. */
async function answerViewer(
  answer: IncomingMessage,
  response: ServerResponse,
  headers: readonly string[],
): Promise<void> {
  const reason = (answer.statusMessage ?? "").replaceAll(/[^\t\x20-\x7e]/g, "");
  response.writeHead(answer.statusCode ?? 502, reason, [...headers]);
  // A stream of events may begin long before its first event. `flushHeaders` would encode the header as UTF-8, but its
  // characters are bytes.
  response.write("", "latin1");
  try {
    await pipeline(answer, response, { end: false });
    if (wantsTrailers(response.req)) response.addTrailers(viewedTrailers(answer));
    response.end();
    await finished(response);
  } catch {
    // One of them has broken off.
    response.destroy();
  }
}

/** Carries bytes between a viewer and an app that have agreed on another protocol, until both have ended. */
async function joinUpgraded(
  viewer: Socket,
  answer: IncomingMessage,
  { headers, stream, head }: UpgradedAnswer,
): Promise<void> {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  viewer.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (head.length > 0) stream.unshift(head);
  const ends = [pipeline(viewer, stream), pipeline(stream, viewer)];
  try {
    await Promise.race(ends);
    const timer = setTimeout(() => stream.destroy(), halfClosedMs);
    await Promise.all(ends).finally(() => clearTimeout(timer));
  } catch {
    // One of them has broken off.
  } finally {
    viewer.destroy();
    stream.destroy();
    await Promise.allSettled(ends);
  }
}

interface UpgradedAnswer {
  readonly headers: readonly string[];
  readonly stream: Duplex;
  readonly head: Buffer;
}
