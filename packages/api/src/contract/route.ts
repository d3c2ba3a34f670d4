import { type Static, type TSchema, Type } from "typebox";

import type { ScopeName } from "./scopes.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The callers that a route admits: anyone, a user with a session token, an agent with its token, a provisioner with its key. */
export type Caller = "anyone" | "user" | "agent" | "provisioner";

/** The header with the key of a provisioner. */
export const provisionerKeyHeader = "Coder-Provisioner-Daemon-Key";

/**
 * The way a route answers.
 * `json`: one body. `bytes`: raw bytes. `socket`: a WebSocket of JSON messages. `event-stream`: SSE.
 * `json-or-socket`: one body, or a WebSocket when the query has the key `follow`.
 */
export type AnswerKind = "json" | "bytes" | "socket" | "event-stream" | "json-or-socket";

/** The body that a route reads: nothing, one JSON value, or raw bytes. */
export type BodyKind = "none" | "json" | "bytes";

/** One entry of the HTTP contract. Paths are below `/api/v2` and name parameters as `:name`. */
export interface Route<
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
  R extends TSchema = TSchema,
> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  /**
   * The scopes, one of which a limited token needs; if empty, only `coder:all` opens the route. A route that returns
   * a credential names only the scope of the credential.
   */
  readonly scopes: readonly ScopeName[];
  /** The group of the route in the OpenAPI document. */
  readonly tag: string;
  readonly caller: Caller;
  readonly kind: AnswerKind;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly bodyKind: BodyKind;
  /** The maximum size of a body, in bytes. */
  readonly maxBodyBytes: number;
  /** The maximum number of values in a JSON body: objects, arrays, and their contents. */
  readonly maxBodyValues: number;
  /** The maximum number of requests of one caller to one path per minute; undefined for the default limit. */
  readonly requestsPerMinute: number | undefined;
  /** The status of a success. */
  readonly status: number;
  /** True if it answers 304, without a body, when there is nothing to change. */
  readonly mayBeUnchanged: boolean;
  /** The body of a success; for sockets and event streams, one message. */
  readonly response: R;
}

/** The default maximum size of a body: a caller who is not yet known has little to send. */
const usualBodyBytes: Readonly<Record<Caller, number>> = {
  anyone: 16 * 1024,
  user: 64 * 1024,
  agent: 64 * 1024,
  provisioner: 64 * 1024,
};
const usualBodyValues = 10_000;

const Nothing = Type.Object({});
const NoBody = Type.Unknown();

interface RouteInput<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  /** Defaults to none. */
  readonly scopes?: readonly ScopeName[];
  /** Defaults to the first part of the path. */
  readonly tag?: "deployment";
  readonly caller?: Caller;
  readonly kind?: AnswerKind;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Set for a raw body. A body with a schema is JSON; a route with neither reads none. */
  readonly bodyKind?: "bytes";
  /** Defaults to 64 KiB, and to 16 KiB for anyone. */
  readonly maxBodyBytes?: number;
  /** Defaults to 10,000. */
  readonly maxBodyValues?: number;
  readonly requestsPerMinute?: number;
  readonly status?: number;
  readonly mayBeUnchanged?: boolean;
  readonly response: R;
}

/** Declares a route; fills in the defaults: a JSON answer with status 200 for a user whose token is not limited. */
export function defineRoute<
  R extends TSchema,
  P extends TSchema = typeof Nothing,
  Q extends TSchema = typeof Nothing,
  B extends TSchema = typeof NoBody,
>(input: RouteInput<P, Q, B, R>): Route<P, Q, B, R> {
  return {
    method: input.method,
    path: input.path,
    summary: input.summary,
    scopes: input.scopes ?? [],
    tag: input.tag ?? input.path.split("/")[1] ?? "",
    caller: input.caller ?? "user",
    kind: input.kind ?? "json",
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- left out, P is this very schema
    params: input.params ?? (Nothing as unknown as P),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- left out, Q is this very schema
    query: input.query ?? (Nothing as unknown as Q),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- left out, B is this very schema
    body: input.body ?? (NoBody as unknown as B),
    bodyKind: input.bodyKind ?? (input.body === undefined ? "none" : "json"),
    maxBodyBytes: input.maxBodyBytes ?? usualBodyBytes[input.caller ?? "user"],
    maxBodyValues: input.maxBodyValues ?? usualBodyValues,
    requestsPerMinute: input.requestsPerMinute,
    status: input.status ?? 200,
    mayBeUnchanged: input.mayBeUnchanged ?? false,
    response: input.response,
  };
}

export type ParamsOf<R extends Route> = Static<R["params"]>;
export type QueryOf<R extends Route> = Static<R["query"]>;
export type BodyOf<R extends Route> = Static<R["body"]>;
export type ResponseOf<R extends Route> = Static<R["response"]>;

/** Returns the path of a route with its parameters filled in and escaped; below `/api/v2`. */
export function routePath(route: Route, params: Readonly<Record<string, string>>): string {
  return route.path.replaceAll(/:([a-z_]+)/g, (_match, key: string) => {
    const value = params[key];
    if (value === undefined) throw new TypeError(`route ${route.path} needs the parameter ${key}`);
    return encodeURIComponent(value);
  });
}

/** A route and its export name. */
export interface NamedRoute {
  readonly name: string;
  readonly route: Route;
}

/** Lists the routes of a contract, in the order of their names. */
export function routesOf(contract: Readonly<Record<string, unknown>>): readonly NamedRoute[] {
  return Object.entries(contract)
    .flatMap(([name, value]) => (isRoute(value) ? [{ name, route: value }] : []))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function isRoute(value: unknown): value is Route {
  return (
    typeof value === "object" &&
    value !== null &&
    ["method", "path", "summary"].every((key) => key in value)
  );
}
