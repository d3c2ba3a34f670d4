import type { Route } from "@slipway/api";

import type { Queryable } from "../db/database.ts";
import type { KeyGrant, KnownUser, UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";
import { readUuid } from "../http/uuid.ts";
import {
  findTemplateOfVersion,
  findWorkspaceByName,
  findWorkspaceOfAgent,
  findWorkspaceOfBuild,
} from "./limit-queries.ts";
import { scopesOf } from "./route-scopes.ts";
import { holdsEntry, holdsScope } from "./scopes.ts";

/** What every way into a workspace asks first, and tells of no thing that an allow list could name. */
const aboutNothing: ReadonlySet<string> = new Set([
  "/deployment/ssh",
  "/regions",
  "/workspaceagents/connection",
]);

type Params = Readonly<Record<string, string | undefined>>;

/**
 * Whether a limited key opens a route at all, and what the route is about: by its scopes, then by its allow list. Throws
 * the 403.
 */
export async function requireWithinLimits(
  db: Queryable,
  user: KnownUser,
  route: Route,
  params: Params,
): Promise<void> {
  const { scopes, allowList } = user.grant;
  const opening = scopesOf(route).find((scope) => holdsScope(scopes, scope));
  if (opening === undefined && !scopes.includes("coder:all")) {
    const wanted = scopesOf(route).join(" or ");
    throw insufficient(
      `This token is limited to ${scopes.join(", ")}; this takes ${wanted === "" ? "coder:all" : wanted}.`,
    );
  }
  if (allowList.includes("*:*") || aboutNothing.has(route.path)) return;
  const type = (opening ?? scopesOf(route)[0] ?? "").split(":")[0] ?? "";
  if (type !== "" && holdsEntry(allowList, `${type}:*`)) return;
  const id = await findObject(db, user, type, params);
  if (id !== undefined && holdsEntry(allowList, `${type}:${id}`)) return;
  throw insufficient(`This token is limited to ${allowList.join(", ")}; this is about more.`);
}

/** Throws the 403 for what a handler finds out only in the body of a request. */
export function requireScope({ grant }: Pick<UserCaller, "grant">, scope: string): void {
  if (holdsScope(grant.scopes, scope)) return;
  throw insufficient(`This token is limited to ${grant.scopes.join(", ")}; this takes ${scope}.`);
}

/** Whether a key is not limited at all. */
export function isUnlimited({ scopes, allowList }: KeyGrant): boolean {
  return scopes.includes("coder:all") && allowList.includes("*:*");
}

/** The one thing of a type that a request names in its path, if it does. */
async function findObject(
  db: Queryable,
  user: KnownUser,
  type: string,
  params: Params,
): Promise<string | undefined> {
  const named = (name: string): string | undefined => readUuid(params[name] ?? "");
  switch (type) {
    case "workspace":
      return named("workspace") ?? findWorkspace(db, user, params);
    case "template":
      return named("template") ?? findTemplateOfVersion(db, named("version"));
    case "user":
      return params["user"] === "me" ? user.id : named("user");
    case "file":
      return named("file");
    case "organization":
      return named("organization");
    default:
      return undefined;
  }
}

async function findWorkspace(
  db: Queryable,
  user: KnownUser,
  params: Params,
): Promise<string | undefined> {
  const [agent, build] = [readUuid(params["agent"] ?? ""), readUuid(params["build"] ?? "")];
  if (agent !== undefined) return findWorkspaceOfAgent(db, agent);
  if (build !== undefined) return findWorkspaceOfBuild(db, build);
  const { user: owner, name } = params;
  if (owner === undefined || name === undefined) return undefined;
  const isId = owner === "me" || readUuid(owner) !== undefined;
  const ownerId = owner === "me" ? user.id : readUuid(owner);
  return findWorkspaceByName(db, isId ? { ownerId } : { ownerName: owner }, name);
}

function insufficient(detail: string): HttpError {
  return new HttpError(403, "Forbidden.", {
    detail,
    headers: { "WWW-Authenticate": 'Bearer realm="coder", error="insufficient_scope"' },
  });
}
