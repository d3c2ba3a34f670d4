import type { IncomingMessage, Server } from "node:http";
import type { Readable } from "node:stream";

import { type Clock, errorText, strangers, type UnfinishedBytes } from "@slipway/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { Invalid } from "../errors/errors.ts";
import { addressKey } from "../fields/address.ts";
import { callers } from "./admission.ts";
import { HttpError } from "./errors.ts";
import { JsonBudgets, type JsonSender } from "./json-budgets.ts";
import { inspectJson, parseJson } from "./json.ts";
import { clientAddress } from "./request-origin.ts";

/** The maximum size of a body that is checked for all faults, in bytes. */
const maxSmallBytes = 4 * 1024;
/** The maximum number of values in a JSON body outside the routes of the contract. */
const usualValues = 1_000;

/** The requests whose bodies may take any time, as long as some bytes arrive. */
const streamed = new WeakSet<IncomingMessage>();

declare module "fastify" {
  interface FastifyContextConfig {
    /** True if the body is passed on as raw bytes. */
    readonly rawBody?: boolean;
    /** True if the route reads the body itself, and for as long as it wants. */
    readonly streamsBody?: boolean;
    /** The maximum number of values in a JSON body. */
    readonly maxBodyValues?: number;
  }
}

interface BodyNeeds {
  readonly unfinished: UnfinishedBytes;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Tells whether a parsed body is so large that checking it stops at the first fault. */
interface ParsedBodies {
  readonly isLarge: (body: unknown) => boolean;
}

/**
 * Reads bodies once their callers are admitted, each up to the limit of its route, and parses them as JSON regardless
 * of `Content-Type` (docs/protocol/rest.md §1.6), unless a route takes bytes.
 */
export function acceptBodies(app: FastifyInstance, { unfinished, clock }: BodyNeeds): ParsedBodies {
  const large = new WeakSet<object>();
  const budgets = new JsonBudgets(clock);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "*",
    async (request: FastifyRequest, payload: IncomingMessage): Promise<unknown> => {
      const { config, bodyLimit: maxBytes } = request.routeOptions;
      if (config.streamsBody === true) {
        streamed.add(payload);
        return undefined;
      }
      const isRaw = config.rawBody === true;
      const sender = senderOf(request);
      if (!isRaw) budgets.admit(sender);
      const announced = Number(request.headers["content-length"] ?? 0);
      const owner = ownerOf(request);
      const bytes = await readBody(payload, announced, { maxBytes, unfinished, owner, clock });
      if (isRaw) return bytes;
      if (bytes.length === 0) return undefined;
      budgets.charge(sender, bytes.length, 0);
      const body = parseBody(bytes, config.maxBodyValues ?? usualValues, (values) =>
        budgets.charge(sender, 0, values),
      );
      if (bytes.length > maxSmallBytes && typeof body === "object" && body !== null)
        large.add(body);
      return body;
    },
  );
  return { isLarge: (body) => typeof body === "object" && body !== null && large.has(body) };
}

/** Parses a body once its cost has been charged. Throws `Invalid`. */
function parseBody(bytes: Buffer, maxValues: number, charge: (values: number) => void): unknown {
  try {
    const text = inspectJson(bytes, maxValues);
    charge(text.values);
    return parseJson(text);
  } catch (error) {
    throw new Invalid("Request body must be valid JSON.", { detail: errorText(error) });
  }
}

function senderOf(request: FastifyRequest): JsonSender {
  const id = callers.findUser(request)?.id ?? callers.findAgent(request)?.agentId;
  if (id !== undefined) return { name: id, isStranger: false };
  return { name: addressKey(clientAddress(request)), isStranger: true };
}

/** Returns the owner of a request's bytes; agents hold those of their owner. */
function ownerOf(request: FastifyRequest): string {
  return callers.findUser(request)?.id ?? callers.findAgent(request)?.ownerId ?? strangers;
}

interface BodyReading {
  readonly maxBytes: number;
  /** Counts the bytes of a body until it is complete. */
  readonly unfinished: UnfinishedBytes;
  /** The owner of these bytes. */
  readonly owner: string;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Reads a body. Rejects with a 413 if it is larger than allowed, judged by its header if possible. */
export async function readBody(
  payload: Readable,
  announcedBytes: number,
  { maxBytes, unfinished, owner, clock }: BodyReading,
): Promise<Buffer> {
  if (announcedBytes > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  using share = unfinished.open(owner, () => payload.destroy());
  let bytes = 0;
  const receive = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) return reject(tooLarge(maxBytes));
    chunks.push(chunk);
    return share.set(bytes, clock.monotonic());
  };
  const onClose = (): void => reject(new HttpError(499, "The client disconnected."));
  payload.on("data", receive);
  payload.once("end", () => resolve(undefined));
  payload.once("error", onClose);
  payload.once("close", onClose);
  try {
    await promise;
    return Buffer.concat(chunks);
  } finally {
    // The rest of a body that is too large is read and dropped until its connection closes.
    payload.off("data", receive);
    payload.off("close", onClose);
    payload.resume();
  }
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, "Request body is too large.", {
    detail: `The body must have at most ${maxBytes} bytes.`,
    headers: { Connection: "close" },
  });
}

/**
 * Limits the time in which a request's body arrives. The limit of Node.js holds for every request of a server, and
 * some that do not reach Fastify take longer, such as a large file for an app of a workspace. The header has a
 * separate limit.
 */
export function limitBodyTime(
  { server }: Pick<FastifyInstance, "server">,
  timeoutMs: number,
): void {
  server.prependListener("request", (request: IncomingMessage) => {
    if (!hasBody(request)) return;
    const timer = setTimeout(() => refuse(server, request), timeoutMs);
    request.once("close", () => clearTimeout(timer));
  });
}

/** Returns whether a request has a body (RFC 9112 section 6). */
export function hasBody({ headers }: Pick<IncomingMessage, "headers">): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** Answers as Node.js does for a request that is too slow. */
function refuse(server: Server, request: IncomingMessage): void {
  const { complete, socket } = request;
  if (complete || streamed.has(request)) return;
  const error = Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });
  if (!server.emit("clientError", error, socket)) socket.destroy();
}
