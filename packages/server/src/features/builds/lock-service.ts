import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { Conflict, Gone, invalidField, notFound } from "../../platform/errors/errors.ts";
import { lockOrigin, lockWorkspace } from "./lock-queries.ts";

/** A workspace as it was when the caller was authorized for it. */
export interface AuthorizedWorkspace {
  readonly id: string;
  readonly ownerId: string;
}

/**
 * Locks a workspace until the transaction ends, if it still is what the caller was authorized for. Call it before
 * changing a workspace or queueing a build: since the authorization, a claim may have given the workspace to a user.
 * Throws `Conflict` then, and `Gone` for a workspace that was deleted since.
 */
export async function lockAuthorized(
  trx: Transaction<DB>,
  { id, ownerId }: AuthorizedWorkspace,
): Promise<void> {
  const row = await lockWorkspace(trx, id);
  if (row.owner_id !== ownerId) {
    throw new Conflict("The workspace has a new owner.", {
      detail: "It was claimed during this request. Nothing was changed.",
    });
  }
  if (row.deleted) throw wasDeleted(row);
}

/**
 * Keeps a template and a user from being deleted until the transaction ends, which gives that user a workspace of that
 * template. Throws `Invalid` and `NotFound` when one of them was deleted since the lookup.
 */
export async function keepOrigin(
  trx: Transaction<DB>,
  { templateId, ownerId }: { readonly templateId: string; readonly ownerId: string },
): Promise<void> {
  const { hasTemplate, hasOwner } = await lockOrigin(trx, templateId, ownerId);
  if (!hasTemplate)
    throw invalidField("template_id", `must be the ID of a template, found ${templateId}`);
  if (!hasOwner) throw notFound();
}

/** Creates the error for any operation on a deleted workspace. */
export function wasDeleted({ name }: { readonly name: string }): Gone {
  return new Gone(`Workspace "${name}" was deleted.`);
}
