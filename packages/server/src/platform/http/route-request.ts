import type { Readable } from "node:stream";

import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api/contract/route";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { UserCaller } from "./caller.ts";
import type { EventStream } from "./event-stream.ts";
import type { PeerSocket } from "./peer-socket.ts";

/** A request whose parts were checked against the route's schemas. */
export interface RouteRequest<R extends Route> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  readonly raw: FastifyRequest;
  /** The reply, for headers of the answer; the handler returns the body. */
  readonly reply: FastifyReply;
}

export interface BytesRequest<R extends Route> extends RouteRequest<R> {
  readonly bytes: Uint8Array;
}

/** A request whose raw body is read, and whose answer may be written, as a stream. */
export interface StreamedRequest<R extends Route> extends Omit<RouteRequest<R>, "body"> {
  /** The raw body, which arrives as fast as it is read. */
  readonly body: Readable;
  /** Aborted when the client disconnects or loses access. */
  readonly signal: AbortSignal;
}

/**
 * The handler of a route that moves bytes: `prepare` may refuse; `serve` runs beside the user's other requests, and
 * returns the answer, which may be a stream.
 */
export interface StreamHandler<R extends Route, T> {
  readonly prepare: (request: RouteRequest<R>, user: UserCaller) => Promise<T>;
  readonly serve: (request: StreamedRequest<R>, prepared: T) => Promise<ResponseOf<R> | Readable>;
}

export type Answer<R extends Route> = Promise<ResponseOf<R>>;

/**
 * The handler of a route that upgrades: `prepare` may still throw a `Refusal`; `serve` owns the socket until
 * it ends.
 */
export interface SocketHandler<R extends Route, C, T> {
  readonly prepare: (request: RouteRequest<R>, caller: C) => Promise<T>;
  readonly serve: (socket: PeerSocket, prepared: T) => Promise<void>;
  /** The largest message that the route takes, in bytes (default: 1 KiB); a one-way stream takes none. */
  readonly maxMessageBytes?: number;
  /** Answers plain requests; without it the route only upgrades. */
  readonly plain?: (request: RouteRequest<R>, prepared: T) => Promise<unknown>;
  /** Returns whether this request gets the plain answer even if it is an upgrade. */
  readonly isPlain?: (request: RouteRequest<R>) => boolean;
}

/**
 * The handler of a route that answers with events: `prepare` may still refuse; `serve` sends until the stream's signal.
 */
export interface EventsHandler<R extends Route, T> {
  readonly prepare: (request: RouteRequest<R>, user: UserCaller) => Promise<T>;
  readonly serve: (stream: EventStream, prepared: T) => Promise<void>;
  /** The message for the reader when `serve` fails. */
  readonly problem: string;
}

/** Returns the parts of a request with the types of the route's schemas, against which they were checked. */
export function typed<R extends Route>(raw: FastifyRequest, reply: FastifyReply): RouteRequest<R> {
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Fastify has checked it against the route's schema
    params: raw.params as ParamsOf<R>,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Fastify has checked it against the route's schema
    query: raw.query as QueryOf<R>,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Fastify has checked it against the route's schema
    body: raw.body as BodyOf<R>,
    raw,
    reply,
  };
}
