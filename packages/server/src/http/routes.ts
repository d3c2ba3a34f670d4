import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api";
import { errorText, type Logger } from "@slipway/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { WebSocket } from "ws";

import type { AgentCaller, Authenticator, UserCaller } from "./caller.ts";
import { type Counted, countRequest } from "./count-request.ts";
import { HttpError } from "./errors.ts";
import { type EventStream, openEventStream } from "./event-stream.ts";
import { maxStreamsPerUser, OpenStreams } from "./open-streams.ts";
import { openPeerSocket, type PeerSocket } from "./peer-socket.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { clientAddress, originOf } from "./request-origin.ts";

/** A request after its parts were checked against the route's schemas. */
export interface RouteRequest<R extends Route> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  readonly raw: FastifyRequest;
  /** For headers of the answer; the handler returns the body. */
  readonly reply: FastifyReply;
}

interface BytesRequest<R extends Route> extends RouteRequest<R> {
  readonly bytes: Uint8Array;
}

type Answer<R extends Route> = Promise<ResponseOf<R>>;

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
interface EventsHandler<R extends Route, T> {
  readonly prepare: (request: RouteRequest<R>, user: UserCaller) => Promise<T>;
  readonly serve: (stream: EventStream, prepared: T) => Promise<void>;
  /** What its reader is told when `serve` fails. */
  readonly problem: string;
}

/** What the reader of a stream is told when he is not let in any more. */
const signedOutReason = "You are signed out, or what you may do has changed.";

/** What comes before everything else of a route: it refuses, or knows the caller. */
type Admission = (raw: FastifyRequest, reply: FastifyReply) => Promise<void>;

const prefix = "/api/v2";

/** Adds routes of the contract to the listener: authentication, validation and upgrade happen here, once. */
export class Routes {
  readonly #app: FastifyInstance;
  readonly #authenticator: Authenticator;
  readonly #limiter: RateLimiter;
  readonly #logger: Logger;
  readonly #added: Route[] = [];
  /** What users have open. */
  readonly streams = new OpenStreams();

  constructor(
    app: FastifyInstance,
    authenticator: Authenticator,
    limiter: RateLimiter,
    logger: Logger,
  ) {
    this.#app = app;
    this.#authenticator = authenticator;
    this.#limiter = limiter;
    this.#logger = logger;
  }

  /** The routes that were added. */
  get added(): readonly Route[] {
    return this.#added;
  }

  anyone<R extends Route>(route: R, handler: (request: RouteRequest<R>) => Answer<R>): void {
    this.#add(route, {
      onRequest: this.#admitAnyone(route),
      handler: (raw, reply) => this.#answer(route, reply, () => handler(typed(raw, reply))),
    });
  }

  user<R extends Route>(
    route: R,
    handler: (request: RouteRequest<R>, user: UserCaller) => Answer<R>,
  ): void {
    this.#add(route, {
      onRequest: this.#admitUser(route),
      handler: (raw, reply) =>
        this.#answer(route, reply, () => handler(typed(raw, reply), callers.user(raw))),
    });
  }

  /** A route that takes the raw bytes of its body, up to `maxBytes`. */
  userBytes<R extends Route>(
    route: R,
    maxBytes: number,
    handler: (request: BytesRequest<R>, user: UserCaller) => Answer<R>,
  ): void {
    this.#add(route, {
      bodyLimit: maxBytes,
      config: { rawBody: true },
      onRequest: this.#admitUser(route),
      handler: (raw, reply) => {
        const bytes = raw.body instanceof Uint8Array ? raw.body : new Uint8Array();
        return this.#answer(route, reply, () =>
          handler({ ...typed<R>(raw, reply), bytes }, callers.user(raw)),
        );
      },
    });
  }

  agent<R extends Route>(
    route: R,
    handler: (request: RouteRequest<R>, agent: AgentCaller) => Answer<R>,
    options: { readonly maxBodyBytes?: number } = {},
  ): void {
    this.#add(route, {
      ...(options.maxBodyBytes === undefined ? {} : { bodyLimit: options.maxBodyBytes }),
      onRequest: this.#admitAgent(route),
      handler: (raw, reply) =>
        this.#answer(route, reply, () => handler(typed(raw, reply), callers.agent(raw))),
    });
  }

  /** A route for agents that `identify` finds in its own way; it throws the 401. */
  agentBy<R extends Route, C extends { readonly agentId: string }>(
    route: R,
    identify: (raw: FastifyRequest) => Promise<C>,
    handler: (request: RouteRequest<R>, agent: C) => Answer<R>,
  ): void {
    const found = new WeakMap<FastifyRequest, C>();
    this.#add(route, {
      onRequest: this.#admit(route, async (raw) => {
        const agent = await identify(raw);
        found.set(raw, agent);
        return { agentId: agent.agentId };
      }),
      handler: (raw, reply) =>
        this.#answer(route, reply, () => handler(typed(raw, reply), needCaller(found.get(raw)))),
    });
  }

  anyoneSocket<R extends Route, T>(route: R, handler: SocketHandler<R, undefined, T>): void {
    this.#addSocket(route, this.#admitAnyone(route), handler, () => undefined);
  }

  userSocket<R extends Route, T>(route: R, handler: SocketHandler<R, UserCaller, T>): void {
    this.#addSocket(route, this.#admitUser(route), handler, callers.user);
  }

  userEvents<R extends Route, T>(route: R, handler: EventsHandler<R, T>): void {
    this.#add(route, {
      onRequest: this.#admitUser(route),
      handler: async (raw, reply) => {
        const user = callers.user(raw);
        this.#requireRoom(user);
        const prepared = await handler.prepare(typed(raw, reply), user);
        const stream = openEventStream(raw, reply);
        using _ = this.streams.hold(user, () => {
          stream.error(signedOutReason, "");
          stream.end();
        });
        await this.#sendEvents(route, stream, handler, prepared);
      },
    });
  }

  agentSocket<R extends Route, T>(route: R, handler: SocketHandler<R, AgentCaller, T>): void {
    this.#addSocket(route, this.#admitAgent(route), handler, callers.agent);
  }

  async #sendEvents<R extends Route, T>(
    route: Route,
    stream: EventStream,
    { serve, problem }: EventsHandler<R, T>,
    prepared: T,
  ): Promise<void> {
    try {
      await serve(stream, prepared);
    } catch (error) {
      if (stream.signal.aborted) return;
      this.#logger.warn({ route: route.path, error: errorText(error) }, "sending events failed");
      stream.error(problem, "The server cannot read it now; try again.");
    } finally {
      stream.end();
    }
  }

  #requireRoom(user: UserCaller): void {
    if (this.streams.hasRoom(user)) return;
    throw new HttpError(429, `You have ${maxStreamsPerUser} streams open already.`, {
      detail: "Close some that you do not read any more.",
    });
  }

  #admitAnyone(route: Route): Admission {
    return this.#admit(route, async (raw) => ({ address: clientAddress(raw) }));
  }

  #admitUser(route: Route): Admission {
    // Routes that a workspace proxy may call too have their own refusals (`rest.md` section 1.11, class U).
    const isForProxies = route.path.startsWith("/workspaceagents/");
    return this.#admit(route, async (raw) => {
      const user = await (isForProxies
        ? this.#authenticator.userOrProxy(raw, route)
        : this.#authenticator.user(raw, route));
      const caller = { ...user, origin: originOf(raw, route.status) };
      callers.setUser(raw, caller);
      return { user: caller };
    });
  }

  #admitAgent(route: Route): Admission {
    return this.#admit(route, async (raw) => {
      const agent = await this.#authenticator.agent(raw);
      callers.setAgent(raw, agent);
      return { agentId: agent.agentId };
    });
  }

  /** Finds out who calls and counts the request; who is refused is counted by his address. */
  #admit(route: Route, identify: (raw: FastifyRequest) => Promise<Counted>): Admission {
    return async (raw, reply) => {
      const counted = await identify(raw).catch((error: unknown) => {
        countRequest(this.#limiter, route, raw, reply, { address: clientAddress(raw) });
        throw error;
      });
      countRequest(this.#limiter, route, raw, reply, counted);
    };
  }

  async #answer(
    route: Route,
    reply: FastifyReply,
    answer: () => Promise<unknown>,
  ): Promise<unknown> {
    reply.code(route.status);
    const body = await answer();
    if (reply.sent) return reply;
    if (body instanceof Uint8Array || typeof body === "string") return reply.send(body);
    return reply.send(body ?? null);
  }

  #addSocket<R extends Route, C, T>(
    route: R,
    admit: Admission,
    handler: SocketHandler<R, C, T>,
    caller: (raw: FastifyRequest) => C,
  ): void {
    const prepared = new WeakMap<FastifyRequest, T>();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set by preHandler, which comes first; T may be undefined
    const take = (raw: FastifyRequest): T => prepared.get(raw) as T;
    this.#add(route, {
      onRequest: admit,
      preHandler: async (raw, reply) => {
        const user = callers.findUser(raw);
        if (raw.ws && user !== undefined) this.#requireRoom(user);
        prepared.set(raw, await handler.prepare(typed(raw, reply), caller(raw)));
      },
      handler: async (raw, reply) => {
        const request = typed<R>(raw, reply);
        const wantsPlain = handler.isPlain?.(request) ?? false;
        if (handler.plain === undefined || !wantsPlain) throw upgradeRequired();
        const { plain } = handler;
        return this.#answer(route, reply, () => plain(request, take(raw)));
      },
      wsHandler: (socket: WebSocket, raw) => {
        const log = this.#logger.child({ route: route.path });
        // The request itself is not kept for as long as the socket lives.
        const state = take(raw);
        const user = callers.findUser(raw);
        void openPeerSocket(socket, log, async (peer) => {
          using _ = user && this.streams.hold(user, () => peer.close(1008, signedOutReason));
          await handler.serve(peer, state);
        });
      },
    });
  }

  #add(route: Route, options: Omit<RouteOptions, "method" | "url" | "schema">): void {
    this.#added.push(route);
    this.#app.route({
      ...options,
      method: route.method,
      url: `${prefix}${route.path}`,
      schema: { params: route.params, querystring: route.query, ...bodySchema(route) },
    });
  }
}

function bodySchema(route: Route): { readonly body?: object } {
  return route.method === "GET" ? {} : { body: route.body };
}

/** Parts of a request with the types that the route's schemas, which have been checked, give them. */
function typed<R extends Route>(raw: FastifyRequest, reply: FastifyReply): RouteRequest<R> {
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

function upgradeRequired(): HttpError {
  return new HttpError(426, "This route needs a WebSocket.", {
    headers: { Connection: "Upgrade", Upgrade: "websocket" },
  });
}

function needCaller<T>(caller: T | undefined): T {
  if (caller === undefined) throw new TypeError("the route was not authenticated");
  return caller;
}

/** Who called, by request: set once before the handler runs. */
const callers = (() => {
  const users = new WeakMap<FastifyRequest, UserCaller>();
  const agents = new WeakMap<FastifyRequest, AgentCaller>();
  return {
    user: (raw: FastifyRequest) => needCaller(users.get(raw)),
    findUser: (raw: FastifyRequest) => users.get(raw),
    agent: (raw: FastifyRequest) => needCaller(agents.get(raw)),
    setUser: (raw: FastifyRequest, caller: UserCaller) => void users.set(raw, caller),
    setAgent: (raw: FastifyRequest, caller: AgentCaller) => void agents.set(raw, caller),
  };
})();
