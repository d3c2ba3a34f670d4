import type { IncomingMessage } from "node:http";
import { type as systemType } from "node:os";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import {
  certificateFor,
  httpModule,
  readBounded,
  systemErrorCode,
  withSystemAuthorities,
} from "@slipway/runtime";
import { AnswerError, type ClientRequest, type ClientResponse } from "@slipway/sdk/http";

import { packageVersion } from "../config/own-package.ts";

/** A response whose body can also be read as it arrives. */
export interface NodeResponse extends ClientResponse {
  readonly body: AsyncIterable<Uint8Array>;
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxRedirects = 20;
/** The maximum size of a body read as a whole; templates are at most 10 MiB. */
const maxBodyBytes = 64 * 1024 * 1024;

/** The name of this command in lists of sessions, and on the page on which people approve its login. */
const userAgent = `slipway/${packageVersion} (${systemType()})`;

/**
 * Sends a request like `fetch`, for the clients of commands: loading the `fetch` of Node.js takes longer than the
 * rest of a short command. Follows redirects, to other servers without credentials and bodies; responses are not
 * compressed.
 */
export async function nodeFetch(url: string, request: ClientRequest): Promise<NodeResponse> {
  let target = url;
  let current = request;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const message = await withSystemAuthorities(() => send(target, current));
    const { statusCode: status = 0, headers } = message;
    if (!redirectStatuses.has(status) || headers.location === undefined)
      return responseOf(message, new URL(target).origin, current.signal);
    // Its body is not read, and may be endless.
    message.destroy();
    const next = new URL(headers.location, target);
    if (status < 307) current = asGet(current);
    if (!isSameServer(new URL(target), next)) current = forOthers(current, next);
    target = next.href;
  }
  throw new TypeError(`more than ${maxRedirects} redirects`);
}

/** A redirect to another address, where none is followed. */
export class RedirectError extends Error {
  override readonly name = "RedirectError";
  readonly code = "redirected";
}

/** Sends a request like `nodeFetch`, but only to this address: rejects with `RedirectError` for a redirect. */
export async function fetchUnredirected(
  url: string,
  request: ClientRequest,
): Promise<NodeResponse> {
  const message = await withSystemAuthorities(() => send(url, request));
  const { location } = message.headers;
  const { origin } = new URL(url);
  if (location === undefined || !redirectStatuses.has(message.statusCode ?? 0))
    return responseOf(message, origin, request.signal);
  message.destroy();
  const target = URL.parse(location, url)?.origin ?? location;
  throw new RedirectError(`the server redirects to ${target}`);
}

function send(
  url: string,
  { method, headers, body, signal }: ClientRequest,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const { request } = httpModule(!url.startsWith("https:"));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // Without it Node.js sends the body of a DELETE request as if it were the next request.
  const isWhole = typeof body === "string" || body instanceof Uint8Array;
  const length = isWhole ? { "Content-Length": String(Buffer.byteLength(body)) } : {};
  const sent = request(url, {
    ...certificateFor(url),
    method,
    headers: { "User-Agent": userAgent, ...headers, ...length },
    signal,
  });
  sent.on("response", (message) => {
    // A server that has refused a stream needs nothing more of it.
    message.once("end", () => {
      if (!sent.writableFinished) sent.destroy();
    });
    resolve(message);
  });
  sent.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  if (body === undefined || isWhole) sent.end(body);
  else {
    pipeline(Readable.from(body, { objectMode: false }), sent).catch((error: unknown) => {
      // A server that refuses a stream answers before its end.
      if (!isEarlyAnswer(error)) reject(error);
    });
  }
  return promise;
}

/** Returns whether the connection ended before the whole body was sent; then the request reports it. */
function isEarlyAnswer(error: unknown): boolean {
  const code = systemErrorCode(error) ?? "";
  return ["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
}

/** Reports whether a redirect stays on the server; it may switch to TLS. */
function isSameServer(from: URL, to: URL): boolean {
  const isUpgrade = from.protocol === "http:" && to.protocol === "https:";
  const isUsualPort = from.port === "" && to.port === "";
  return from.origin === to.origin || (from.hostname === to.hostname && isUpgrade && isUsualPort);
}

/** Headers that reveal nothing to another server; those of the user's settings may be credentials too. */
const plainHeaders: ReadonlySet<string> = new Set(["accept", "content-type", "user-agent"]);

function forOthers({ headers, body, ...request }: ClientRequest, { origin }: URL): ClientRequest {
  if (body !== undefined) throw new TypeError(`redirected to ${origin}, which gets no data`);
  const kept = Object.entries(headers).filter(([name]) => plainHeaders.has(name.toLowerCase()));
  return { ...request, headers: Object.fromEntries(kept) };
}

/** Returns the request for the older kinds of redirects: without a body. */
function asGet({ method, headers, signal }: ClientRequest): ClientRequest {
  const { "Content-Type": _type, ...more } = headers;
  return { method: method === "HEAD" ? method : "GET", headers: more, signal };
}

function responseOf(message: IncomingMessage, origin: string, signal: AbortSignal): NodeResponse {
  const { statusCode: status = 0, statusMessage: statusText = "" } = message;
  const read = async (): Promise<Buffer<ArrayBuffer>> => {
    try {
      return await readWhole(message, origin);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  };
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    text: async () => new TextDecoder().decode(await read()),
    arrayBuffer: async () => new Uint8Array(await read()).buffer,
    headers: { get: (name) => headerOf(message, name) },
    body: message,
  };
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(", ") : (value ?? null);
}

async function readWhole(
  message: AsyncIterable<Buffer>,
  origin: string,
): Promise<Buffer<ArrayBuffer>> {
  const body = await readBounded(message, maxBodyBytes);
  if (body !== undefined) return body;
  const cause = new Error(`a body of more than ${maxBodyBytes} bytes`);
  throw new AnswerError(origin, { cause });
}
