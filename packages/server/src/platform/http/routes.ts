import { Readable } from "node:stream";

import type { ResponseOf, Route } from "@slipway/api/contract/route";
import { errorText, type Logger } from "@slipway/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { WebSocket } from "ws";

import { defaultLimits } from "../config/limits.ts";
import { readOnce } from "../read-once.ts";
import { type Admission, type Admissions, callers, needCaller } from "./admission.ts";
import { type AnonymousStreamLimits, AnonymousStreams } from "./anonymous-streams.ts";
import type { AgentCaller, UserCaller } from "./caller.ts";
import { watchClient } from "./client-disconnect.ts";
import { HttpError } from "./errors.ts";
import { type EventStream, openEventStream } from "./event-stream.ts";
import { fixedAnswer, sendFixed } from "./fixed-answer.ts";
import { encodeJson } from "./json.ts";
import { OpenStreams, type StreamLimits } from "./open-streams.ts";
import { openPeerSocket, type PeerSocket } from "./peer-socket.ts";
import { clientAddress } from "./request-origin.ts";
import {
  type Answer,
  type BytesRequest,
  type EventsHandler,
  type RouteRequest,
  type SocketHandler,
  type StreamHandler,
  typed,
} from "./route-request.ts";
import { UserTurns } from "./user-turns.ts";

/** The message for the reader of a stream who loses access. */
const signedOutReason = "You are signed out, or what you may do has changed.";

const prefix = "/api/v2";

/** Adds routes of the contract to the listener, with authentication, validation and upgrades in one place. */
export class Routes {
  readonly #app: FastifyInstance;
  readonly #admissions: Admissions;
  readonly #logger: Logger;
  readonly #added: Route[] = [];
  /** The open streams of users. */
  readonly streams: OpenStreams;
  readonly #anonymous: AnonymousStreams;
  readonly #turns = new UserTurns();

  constructor(
    app: FastifyInstance,
    admissions: Admissions,
    logger: Logger,
    limits: StreamLimits & AnonymousStreamLimits = defaultLimits,
  ) {
    this.streams = new OpenStreams(limits);
    this.#anonymous = AnonymousStreams.ofApi(limits);
    this.#app = app;
    this.#admissions = admissions;
    this.#logger = logger;
  }

  /** The routes added so far. */
  get added(): readonly Route[] {
    return this.#added;
  }

  anyone<R extends Route>(route: R, handler: (request: RouteRequest<R>) => Answer<R>): void {
    this.#add(route, {
      onRequest: this.#admissions.anyone(route),
      handler: (raw, reply) => this.#answer(route, reply, () => handler(typed(raw, reply))),
    });
  }

  /** Adds a route whose answer is the same for everyone while the server runs; it is read and encoded once. */
  anyoneFixed<R extends Route>(route: R, read: () => ResponseOf<R> | Promise<ResponseOf<R>>): void {
    const answer = readOnce(async () =>
      fixedAnswer("application/json; charset=utf-8", encodeJson(await read())),
    );
    this.#add(route, {
      onRequest: this.#admissions.anyone(route),
      handler: async (raw, reply) => {
        return sendFixed(raw, reply.code(route.status), await answer());
      },
    });
  }

  user<R extends Route>(
    route: R,
    handler: (request: RouteRequest<R>, user: UserCaller) => Answer<R>,
  ): void {
    this.#add(route, {
      onRequest: this.#admissions.user(route),
      handler: (raw, reply) =>
        this.#answer(route, reply, () => handler(typed(raw, reply), callers.user(raw))),
    });
  }

  /** Adds a route that takes the raw bytes of its body. */
  userBytes<R extends Route>(
    route: R,
    handler: (request: BytesRequest<R>, user: UserCaller) => Answer<R>,
  ): void {
    this.#add(route, {
      config: { rawBody: true },
      onRequest: this.#admissions.user(route),
      handler: (raw, reply) => {
        const bytes = raw.body instanceof Uint8Array ? raw.body : new Uint8Array();
        return this.#answer(route, reply, () =>
          handler({ ...typed<R>(raw, reply), bytes }, callers.user(raw)),
        );
      },
    });
  }

  /** Adds a route that reads its raw body, or writes its answer, as a stream for as long as bytes move. */
  userStream<R extends Route, T>(route: R, handler: StreamHandler<R, T>): void {
    this.#add(route, {
      config: { streamsBody: true },
      onRequest: this.#admissions.user(route),
      handler: async (raw, reply) => {
        const user = callers.user(raw);
        this.#requireRoom(user, route);
        const prepared = await this.#inTurn(raw, () => handler.prepare(typed(raw, reply), user));
        // Other streams may have been opened meanwhile.
        this.#requireRoom(user, route);
        const ended = new AbortController();
        const end = (): void => ended.abort(new DOMException("the stream has ended", "AbortError"));
        const held = this.streams.hold(user, route, () => {
          end();
          raw.raw.socket.destroy();
        });
        // It also comes when the client disconnects.
        reply.raw.once("close", () => {
          held[Symbol.dispose]();
          end();
        });
        reply.code(route.status);
        const request = { ...typed<R>(raw, reply), body: raw.raw, signal: ended.signal };
        try {
          return await reply.send(await handler.serve(request, prepared));
        } catch (error) {
          // A client may send all of its body before it reads the answer, which a closed connection could lose.
          reply.raw.once("finish", () => raw.raw.resume());
          throw error;
        }
      },
    });
  }

  /**
   * Adds a route that takes the raw bytes of its body and decides about the whole answer. It takes no turn of its user, who
   * has turns for the requests that it sends on their behalf (`inner-requests.ts`).
   */
  userExchange<R extends Route>(
    route: R,
    handler: (request: BytesRequest<R>, user: UserCaller) => Promise<Response>,
  ): void {
    this.#add(route, {
      config: { rawBody: true },
      onRequest: this.#admissions.user(route),
      handler: async (raw, reply) => {
        await this.#admissions.renew(raw);
        const bytes = raw.body instanceof Uint8Array ? raw.body : new Uint8Array();
        const request = { ...typed<R>(raw, reply), bytes };
        return sendResponse(reply, await handler(request, callers.user(raw)));
      },
    });
  }

  /**
   * Waits for another machine on behalf of a user's request, until the client disconnects. The user's other requests proceed
   * meanwhile.
   */
  async waitFor<T>(raw: FastifyRequest, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    using client = watchClient(raw);
    return await this.#turns.waitFor(raw, () => task(client.signal));
  }

  agent<R extends Route>(
    route: R,
    handler: (request: RouteRequest<R>, agent: AgentCaller) => Answer<R>,
  ): void {
    this.#add(route, {
      onRequest: this.#admissions.agent(route),
      handler: (raw, reply) =>
        this.#answer(route, reply, () => handler(typed(raw, reply), callers.agent(raw))),
    });
  }

  /** Adds a route for agents that `identify` authenticates in its own way; it throws `Unauthenticated`. */
  agentBy<R extends Route, C extends { readonly agentId: string }>(
    route: R,
    identify: (raw: FastifyRequest) => Promise<C>,
    handler: (request: RouteRequest<R>, agent: C) => Answer<R>,
  ): void {
    const found = new WeakMap<FastifyRequest, C>();
    this.#add(route, {
      onRequest: this.#admissions.by(route, async (raw) => {
        const agent = await identify(raw);
        found.set(raw, agent);
        return { agentId: agent.agentId };
      }),
      handler: (raw, reply) =>
        this.#answer(route, reply, () => handler(typed(raw, reply), needCaller(found.get(raw)))),
    });
  }

  anyoneSocket<R extends Route, T>(route: R, handler: SocketHandler<R, undefined, T>): void {
    const admit = this.#admissions.anyone(route);
    const admitToPlace: Admission = async (raw, reply) => {
      await admit(raw, reply);
      if (raw.ws) this.#anonymous.hold(raw);
    };
    this.#addSocket(route, admitToPlace, handler, () => undefined);
  }

  userSocket<R extends Route, T>(route: R, handler: SocketHandler<R, UserCaller, T>): void {
    this.#addSocket(route, this.#admissions.user(route), handler, callers.user);
  }

  userEvents<R extends Route, T>(route: R, handler: EventsHandler<R, T>): void {
    this.#add(route, {
      onRequest: this.#admissions.user(route),
      handler: async (raw, reply) => {
        const user = callers.user(raw);
        this.#requireRoom(user, route);
        const prepared = await this.#inTurn(raw, () => handler.prepare(typed(raw, reply), user));
        // Other streams may have been opened meanwhile.
        this.#requireRoom(user, route);
        const stream = openEventStream(raw, reply);
        using _ = this.streams.hold(user, route, () => {
          stream.error(signedOutReason, "");
          stream.end();
        });
        await this.#sendEvents(route, stream, handler, prepared);
      },
    });
  }

  /** Adds a socket for programs with a key, which `identify` authenticates; it throws `Unauthenticated`. */
  keySocket<R extends Route, C extends { readonly id: string }, T>(
    route: R,
    identify: (raw: FastifyRequest) => Promise<C>,
    handler: SocketHandler<R, C, T>,
  ): void {
    const found = new WeakMap<FastifyRequest, C>();
    const admit = this.#admissions.by(route, async (raw) => {
      const key = await identify(raw);
      found.set(raw, key);
      callers.setKey(raw, key.id);
      return { address: clientAddress(raw) };
    });
    this.#addSocket(route, admit, handler, (raw) => needCaller(found.get(raw)));
  }

  agentSocket<R extends Route, T>(route: R, handler: SocketHandler<R, AgentCaller, T>): void {
    this.#addSocket(route, this.#admissions.agent(route), handler, callers.agent);
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
      this.#logger.warn({ route: route.path, error: errorText(error) }, "cannot send events");
      stream.error(problem, "The server cannot read it now; try again.");
    } finally {
      stream.end();
    }
  }

  /** Runs a user's request in turn, and other requests immediately, with the rights that the caller has by then. */
  #inTurn<T>(raw: FastifyRequest, answer: () => Promise<T>): Promise<T> {
    const answerNow = async (): Promise<T> => {
      await this.#admissions.renew(raw);
      return answer();
    };
    const user = callers.findUser(raw);
    return user === undefined ? answerNow() : this.#turns.run(user.id, raw, answerNow);
  }

  #requireRoom(user: UserCaller, route: Route): void {
    const refusal = this.streams.refusal(user, route);
    if (refusal !== undefined) throw refusal;
  }

  async #answer(
    route: Route,
    reply: FastifyReply,
    answer: () => Promise<unknown>,
  ): Promise<unknown> {
    reply.code(route.status);
    const body = await this.#inTurn(reply.request, answer);
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
    const log = this.#logger.child({ route: route.path });
    const prepared = new WeakMap<FastifyRequest, T>();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set by preHandler, which comes first; T may be undefined
    const take = (raw: FastifyRequest): T => prepared.get(raw) as T;
    this.#add(route, {
      config: { takesSockets: true, maxMessageBytes: handler.maxMessageBytes },
      onRequest: admit,
      preHandler: async (raw, reply) => {
        const user = callers.findUser(raw);
        if (raw.ws && user !== undefined) this.#requireRoom(user, route);
        const prepare = (): Promise<T> => handler.prepare(typed(raw, reply), caller(raw));
        prepared.set(raw, await this.#inTurn(raw, prepare));
      },
      handler: async (raw, reply) => {
        const request = typed<R>(raw, reply);
        const wantsPlain = handler.isPlain?.(request) ?? false;
        if (handler.plain === undefined || !wantsPlain) throw upgradeRequired();
        const { plain } = handler;
        return this.#answer(route, reply, () => plain(request, take(raw)));
      },
      wsHandler: (socket: WebSocket, raw) => {
        // The request itself is not retained for the life of the socket.
        const state = take(raw);
        const user = callers.findUser(raw);
        // Other streams may have been opened since the upgrade began.
        const refusal = user && this.streams.refusal(user, route);
        if (refusal !== undefined) return socket.close(1013, refusal.message);
        void openPeerSocket(socket, log, (peer) =>
          user === undefined
            ? handler.serve(peer, state)
            : this.#serveUser(user, route, peer, () => handler.serve(peer, state)),
        );
      },
    });
  }

  async #serveUser(
    user: UserCaller,
    route: Route,
    peer: PeerSocket,
    serve: () => Promise<void>,
  ): Promise<void> {
    using _ = this.streams.hold(user, route, () => peer.close(1008, signedOutReason));
    await serve();
  }

  #add(
    route: Route,
    { preHandler, config, ...options }: Omit<RouteOptions, "method" | "url" | "schema">,
  ): void {
    this.#added.push(route);
    this.#app.route({
      ...options,
      bodyLimit: route.maxBodyBytes,
      config: { ...config, maxBodyValues: route.maxBodyValues },
      preHandler: [this.#admissions.things(route), preHandler ?? []].flat(),
      method: route.method,
      url: `${prefix}${route.path}`,
      schema: { params: route.params, querystring: route.query, ...bodySchema(route) },
    });
  }
}

/** Sends a response in the form of the web; a body that is a stream as it comes. */
function sendResponse(reply: FastifyReply, response: Response): FastifyReply {
  const { body, status, headers } = response;
  reply.code(status).headers(Object.fromEntries(headers));
  return body === null ? reply.send() : reply.send(Readable.fromWeb(body));
}

function bodySchema(route: Route): { readonly body?: object } {
  return route.method === "GET" ? {} : { body: route.body };
}

function upgradeRequired(): HttpError {
  return new HttpError(426, "This route requires a WebSocket.", {
    // Without `close`, Node.js keeps a connection whose answer has this header, even that of an HTTP/1.0 client.
    headers: { Connection: "Upgrade, close", Upgrade: "websocket" },
  });
}
