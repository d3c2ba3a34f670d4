import type { AuthCheck } from "@slipway/api/deployment/auth-check";

import {
  isOwnerRole,
  mayActFor,
  mayCreateUsers,
  mayReadAudit,
  maySeeUsers,
  maySeeWorkspacesOf,
  mayWriteTemplates,
} from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { ifFound, Invalid } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { requireWorkspace } from "../workspaces/service.ts";

/** The maximum number of checks with a resource's id, each of which is a query (docs/protocol/clients.md §0.6). */
const maxResourceChecks = 10;

/** Answers each check under its name; throws `Invalid` when too many are about one resource. */
export async function answerChecks(
  db: Queryable,
  user: UserCaller,
  checks: Readonly<Record<string, AuthCheck>>,
): Promise<Record<string, boolean>> {
  const entries = Object.entries(checks);
  const count = entries.filter(([, { object }]) => (object.resource_id ?? "") !== "").length;
  if (count > maxResourceChecks) {
    throw new Invalid(
      `At most ${maxResourceChecks} checks may have a resource_id, found ${count}.`,
    );
  }
  const answers: [string, boolean][] = [];
  for (const [name, check] of entries) {
    answers.push([name, isAllowed(user, check, await findOwner(db, user, check))]);
  }
  return Object.fromEntries(answers);
}

/** Finds the owner of the object: undefined when none is named, null when the caller can see no such object. */
async function findOwner(
  db: Queryable,
  user: UserCaller,
  { object }: AuthCheck,
): Promise<string | null | undefined> {
  const { resource_type: type, resource_id: reference = "", owner_id: owner = "" } = object;
  // The actual owner counts, whatever the check says.
  if (type === "workspace" && reference !== "") {
    const id = readUuid(reference);
    return id === undefined ? null : findWorkspaceOwner(db, user, id);
  }
  return owner === "me" ? user.id : readUuid(owner);
}

async function findWorkspaceOwner(
  db: Queryable,
  user: UserCaller,
  id: string,
): Promise<string | null> {
  const workspace = await ifFound(requireWorkspace(db, user, id));
  return workspace?.owner_id ?? null;
}

/** Returns whether roles allow an action: only owners may perform those that `auth/rights.ts` does not know. */
function isAllowed(
  user: UserCaller,
  { object, action }: AuthCheck,
  ownerId: string | null | undefined,
): boolean {
  if (ownerId === null) return false;
  if (isOwnerRole(user)) return true;
  const isRead = action === "read";
  switch (object.resource_type) {
    case "workspace":
    case "workspace_dormant":
      if (ownerId === undefined) return isRead && maySeeWorkspacesOf(user, "");
      return isRead ? maySeeWorkspacesOf(user, ownerId) : mayActFor(user, ownerId);
    case "template":
      return isRead || action === "use" || mayWriteTemplates(user);
    case "file":
      return action === "create" || (ownerId !== undefined && mayActFor(user, ownerId));
    case "user":
      if (ownerId === user.id && ownActions.has(action)) return true;
      return isRead ? maySeeUsers(user) : mayCreateUsers(user);
    case "api_key":
      return ownerId !== undefined && mayActFor(user, ownerId);
    case "audit_log":
      return isRead && mayReadAudit(user);
    case "organization":
      return isRead;
    default:
      return false;
  }
}

/** The actions that all users may perform on themselves. */
const ownActions: ReadonlySet<string> = new Set(["read", "read_personal", "update_personal"]);
