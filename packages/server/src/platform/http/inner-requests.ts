import { type IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

import type { ErrorBody } from "@slipway/api/contract/api-error";
import { type Route, routePath } from "@slipway/api/contract/route";
import type { FastifyInstance, FastifyRequest } from "fastify";

/** The maximum size of an answer to the server itself, in bytes. */
const maxAnswerBytes = 16 * 1024 * 1024;

/** The parts of a request for a route. */
export interface InnerRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}

/** The headers that make a request the same caller's, from the same client. */
const callerHeaders = [
  "authorization",
  "coder-session-token",
  "cookie",
  "host",
  "user-agent",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

/**
 * Sends a request to a route of this server on behalf of the sender of another one, without a connection: it is admitted,
 * limited, validated and carried out as if they had sent it themselves. Throws `InnerAnswerError` for an error answer, and
 * the signal's reason.
 */
export async function sendInner(
  app: FastifyInstance,
  route: Route,
  { params = {}, query = {}, body, signal }: InnerRequest,
  from: FastifyRequest,
): Promise<Uint8Array> {
  signal.throwIfAborted();
  const inner = new InnerSocket(from.raw.socket);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has what requests and answers use of a socket
  const socket = inner as unknown as Socket;
  const request = new IncomingMessage(socket);
  const search = searchOf(query, from.raw.url);
  request.method = route.method;
  request.url = `/api/v2${routePath(route, params)}${search}`;
  request.httpVersion = "1.1";
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.headers = headersOf(from, body);
  if (body !== undefined) request.push(body);
  request.push(null);
  request.complete = true;
  const response = new InnerResponse(request);
  response.assignSocket(socket);
  const leave = (): void => void socket.destroy();
  signal.addEventListener("abort", leave, { once: true });
  try {
    app.routing(request, response);
    await response.ended;
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", leave);
    socket.destroy();
  }
  const bytes = response.take();
  const { statusCode: status } = response;
  if (status < 400) return bytes;
  throw new InnerAnswerError(status, parseError(bytes, status));
}

/** The query of a request, with the token of the caller if it is in theirs. */
function searchOf(query: InnerRequest["query"], callerUrl = ""): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(key, value);
  }
  const callers = new URLSearchParams(callerUrl.split("?", 2)[1] ?? "");
  for (const key of ["coder_session_token", "access_token"]) {
    const token = callers.get(key);
    if (token !== null) search.set(key, token);
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

function headersOf({ headers }: FastifyRequest, body: Uint8Array | undefined): IncomingHttpHeaders {
  const copied = Object.fromEntries(callerHeaders.map((name) => [name, headers[name]]));
  return body === undefined ? copied : { ...copied, "content-length": String(body.length) };
}

function parseError(bytes: Uint8Array, status: number): ErrorBody {
  const body: unknown = JSON.parse(Buffer.from(bytes).toString() || "null");
  const isError = typeof body === "object" && body !== null && "message" in body;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is an error answer of this server
  return isError ? (body as ErrorBody) : { message: `unexpected answer ${status}` };
}

/** An error answer of this server to itself. */
export class InnerAnswerError extends Error {
  override readonly name = "InnerAnswerError";
  readonly code = "inner-answer";
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** The socket of a request without a connection: it says where the caller is, and takes everything. */
class InnerSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly encrypted: true | undefined;

  constructor(outer: Socket) {
    super();
    this.remoteAddress = outer.remoteAddress;
    this.encrypted = "encrypted" in outer ? true : undefined;
    // It ends with its request, whose sender learns of it by the answer.
    this.on("error", () => undefined);
  }

  override _read(): void {
    // Nothing comes from it: the request is complete.
  }

  override _write(_chunk: unknown, _encoding: string, onTaken: () => void): void {
    onTaken();
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}

/** An answer that is kept rather than sent. */
class InnerResponse extends ServerResponse {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #isTooLarge = false;
  /** Resolves when the answer is complete, or its socket was destroyed. */
  readonly ended: Promise<void>;

  constructor(request: IncomingMessage) {
    super(request);
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.once("finish", ended.resolve);
    request.socket.once("close", ended.resolve);
  }

  /** Returns the body. Throws if it is incomplete, or larger than the limit. */
  take(): Uint8Array {
    if (this.#isTooLarge) throw new RangeError(`an answer has more than ${maxAnswerBytes} bytes`);
    if (!this.writableEnded) throw new Error("an answer broke off");
    return Buffer.concat(this.#chunks);
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    this.#keep(chunk);
    return Reflect.apply(super.write, this, [chunk, ...rest]);
  }

  override end(chunk?: unknown, ...rest: never[]): this {
    this.#keep(chunk);
    return Reflect.apply(super.end, this, [chunk, ...rest]);
  }

  #keep(chunk: unknown): void {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) return;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#size += bytes.length;
    if (this.#size <= maxAnswerBytes) this.#chunks.push(bytes);
    else {
      this.#isTooLarge = true;
      this.socket?.destroy();
    }
  }
}
