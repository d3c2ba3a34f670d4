import type { Route } from "@slipway/api/contract/route";
import type { ScopeName } from "@slipway/api/contract/scopes";

import type { Queryable } from "../db/database.ts";
import { forbidden, Forbidden } from "../errors/errors.ts";
import type { KeyGrant, KnownUser, UserCaller } from "../http/caller.ts";
import { findThing, type RequestParts } from "./find-thing.ts";
import { holdsEntry, holdsScope } from "./grants.ts";
import { thingsOf, thingTypeOf } from "./route-things.ts";

/** Throws `Forbidden` for a key whose scopes do not allow a route. */
export function requireRoute({ grant }: Pick<KnownUser, "grant">, route: Route): void {
  if (grant.scopes.includes("coder:all") || openingScope(grant, route) !== undefined) return;
  const wanted = route.scopes.join(" or ");
  throw insufficient(
    `This token is limited to ${grant.scopes.join(", ")}, but this request requires ${wanted === "" ? "coder:all" : wanted}.`,
  );
}

/**
 * Throws `Forbidden` for a key whose allow list lacks anything that a request refers to in its path, query or body.
 * Runs after the request was checked against the route's schemas and before its handler.
 */
export async function requireThings(
  db: Queryable,
  user: KnownUser,
  route: Route,
  request: RequestParts,
): Promise<void> {
  const { allowList } = user.grant;
  if (allowList.includes("*:*")) return;
  const scope = openingScope(user.grant, route) ?? route.scopes[0];
  const { named, always, ownType } = thingsOf(route, scope);
  for (const entry of always) requireEntry(allowList, entry);
  let isOwnTypeNamed = ownType === undefined;
  for (const { place, field, naming } of named) {
    const text = textOf(request[place], field);
    if (text === undefined) continue;
    const type = thingTypeOf(naming);
    isOwnTypeNamed ||= type === ownType;
    const id = await findThing(db, user, naming, { text, request });
    // A token acts for its user without naming them.
    if (type === "user" && id === user.id && scope?.startsWith("user:") !== true) continue;
    requireEntry(allowList, `${type}:${id ?? "*"}`);
  }
  if (!isOwnTypeNamed) requireEntry(allowList, `${ownType}:*`);
}

/**
 * Throws `Forbidden`, with this detail, for a key that is not a session of the user's own: neither a token nor someone who
 * holds another user's session may turn it into something that lasts longer.
 */
export function requireOwnSession(
  { grant, keyCreatedBy }: Pick<UserCaller, "grant" | "keyCreatedBy">,
  detail: string,
): void {
  if (grant.secondsLeft !== undefined || keyCreatedBy !== undefined) throw forbidden(detail);
}

/** Throws `Forbidden` for a scope that a handler determines from the body of a request. */
export function requireScope({ grant }: Pick<UserCaller, "grant">, scope: string): void {
  if (holdsScope(grant.scopes, scope)) return;
  throw insufficient(
    `This token is limited to ${grant.scopes.join(", ")}, but this request requires ${scope}.`,
  );
}

/** Returns the first scope of a route that a key holds. */
function openingScope({ scopes }: KeyGrant, route: Route): ScopeName | undefined {
  return route.scopes.find((scope) => holdsScope(scopes, scope));
}

function textOf(part: unknown, field: string): string | undefined {
  if (typeof part !== "object" || part === null || !(field in part)) return undefined;
  const value: unknown = Reflect.get(part, field);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function requireEntry(allowList: readonly string[], entry: string): void {
  if (holdsEntry(allowList, entry)) return;
  const [type = ""] = entry.split(":");
  const detail = `This token is limited to ${allowList.join(", ")}, but this request concerns ${type === "" ? "more" : `another ${type}`}.`;
  throw insufficient(detail);
}

function insufficient(detail: string): Forbidden {
  return new Forbidden("Forbidden.", {
    detail,
    challenge: 'Bearer realm="coder", error="insufficient_scope"',
  });
}
