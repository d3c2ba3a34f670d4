import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";

import type { ApiSocket } from "./api-socket.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface ApiRequest {
  /** The parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client disconnects, the response has ended, or the agent stops. */
  readonly signal: AbortSignal;
}

export interface JsonRequest extends ApiRequest {
  /** The parsed body; its form is not checked. */
  readonly body: unknown;
}

export interface StreamRequest extends ApiRequest {
  /** The raw body, as fast as the handler reads it. */
  readonly body: Readable;
}

/** The content of an answer. The router destroys a stream whose client disconnects. */
type Content =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly value: object }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "stream"; readonly stream: Readable };

type AnswerHeaders = Readonly<Record<string, string | number>>;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly content: Content;
}

interface AnswerOptions {
  /** Defaults to 200. */
  readonly status?: number;
  readonly headers?: AnswerHeaders;
}

function answer(content: Content, { status = 200, headers = {} }: AnswerOptions): ApiAnswer {
  return { status, headers, content };
}

export function jsonAnswer(value: object, options: AnswerOptions = {}): ApiAnswer {
  return answer({ kind: "json", value }, options);
}

export function bytesAnswer(bytes: Uint8Array, options: AnswerOptions = {}): ApiAnswer {
  return answer({ kind: "bytes", bytes }, options);
}

export function streamAnswer(stream: Readable, options: AnswerOptions = {}): ApiAnswer {
  return answer({ kind: "stream", stream }, options);
}

export function emptyAnswer(status: number, headers: AnswerHeaders = {}): ApiAnswer {
  return answer({ kind: "none" }, { status, headers });
}

interface RequestRoute {
  readonly method: Method;
  /** Segments that begin with a colon are parameters: `/api/v0/processes/:id/output`. */
  readonly path: string;
  /**
   * The time from the request to the last byte of its answer, in milliseconds (default: 20 s). An answer that is a
   * stream, and a body that is one, take any time as long as bytes move.
   */
  readonly timeoutMs?: number;
}

/** A route that ignores its body. */
interface PlainRoute extends RequestRoute {
  readonly kind: "plain";
  readonly handle: (request: ApiRequest) => Promise<ApiAnswer>;
}

interface JsonRoute extends RequestRoute {
  readonly kind: "json";
  /** The maximum size of the body, in bytes (default: 1 MiB). */
  readonly maxBodyBytes?: number;
  readonly handle: (request: JsonRequest) => Promise<ApiAnswer>;
}

/** A route that reads its raw body itself. What an answer leaves unread is dropped. */
interface StreamRoute extends RequestRoute {
  readonly kind: "stream";
  readonly handle: (request: StreamRequest) => Promise<ApiAnswer>;
}

interface SocketRoute {
  readonly kind: "socket";
  readonly path: string;
  /** The maximum size of a client's message, in bytes. */
  readonly maxMessageBytes: number;
  /**
   * Decides before the upgrade, which an `ApiError` prevents. Returns the function that serves the socket, which closes
   * when that settles.
   */
  readonly open: (request: ApiRequest) => Promise<(socket: ApiSocket) => Promise<void>>;
}

/** A route of the agent's HTTP API. Its handler throws `ApiError` for an error response. */
export type ApiRoute = PlainRoute | JsonRoute | StreamRoute | SocketRoute;
