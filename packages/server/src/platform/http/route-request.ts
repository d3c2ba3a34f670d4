import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { UserCaller } from "./caller.ts";
import type { EventStream } from "./event-stream.ts";
import type { PeerSocket } from "./peer-socket.ts";

/** A request after its parts were checked against the route's schemas. */
export interface RouteRequest<R extends Route> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  readonly raw: FastifyRequest;
  /** For headers of the answer; the handler returns the body. */
  readonly reply: FastifyReply;
}

export interface BytesRequest<R extends Route> extends RouteRequest<R> {
  readonly bytes: Uint8Array;
}

export type Answer<R extends Route> = Promise<ResponseOf<R>>;

/** A route that upgrades: `prepare` may still refuse with an `HttpError`; `serve` owns the socket until it ends. */
export interface SocketHandler<R extends Route, C, T> {
  readonly prepare: (request: RouteRequest<R>, caller: C) => Promise<T>;
  readonly serve: (socket: PeerSocket, prepared: T) => Promise<void>;
  /** What a plain request gets; without it the route only upgrades. */
  readonly plain?: (request: RouteRequest<R>, prepared: T) => Promise<unknown>;
  /** Whether this request, were it an upgrade, gets the plain answer all the same. */
  readonly isPlain?: (request: RouteRequest<R>) => boolean;
}

/** A route that answers with events: `prepare` may still refuse; `serve` sends until the stream's signal. */
export interface EventsHandler<R extends Route, T> {
  readonly prepare: (request: RouteRequest<R>, user: UserCaller) => Promise<T>;
  readonly serve: (stream: EventStream, prepared: T) => Promise<void>;
  /** What its reader is told when `serve` fails. */
  readonly problem: string;
}

/** Parts of a request with the types that the route's schemas, which have been checked, give them. */
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
