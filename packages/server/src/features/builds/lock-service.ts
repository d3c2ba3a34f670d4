import { type RawBuilder, type Selectable, sql, type Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { Conflict, Gone, invalidField, notFound } from "../../platform/errors/errors.ts";

/** A workspace as it was when the caller was authorized for it. */
export interface AuthorizedWorkspace {
  readonly id: string;
  readonly ownerId: string;
}

/**
 * Locks a workspace until the transaction ends, if it is still the one that the caller was authorized for. Call it before
 * changing a workspace or queueing a build. Throws `Conflict` if a claim has given the workspace to a user since the
 * authorization, and `Gone` if it was deleted since.
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
 * Keeps a template and a user from being deleted until the end of the transaction that gives the user a workspace of the
 * template. Throws `Invalid` or `NotFound` if one of them was deleted since the lookup.
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

/**
 * Locks a workspace until the transaction ends. Its updates never write columns that foreign keys refer to, so rows
 * that refer to the workspace may be inserted meanwhile.
 */
export function lockWorkspace(
  db: Queryable,
  workspaceId: string,
): Promise<Pick<Selectable<DB["workspaces"]>, "name" | "owner_id" | "deleted">> {
  return db
    .selectFrom("workspaces")
    .where("id", "=", workspaceId)
    .select(["name", "owner_id", "deleted"])
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

/**
 * Returns the condition that a template exists and stays until the transaction ends: deleting it takes a conflicting
 * lock and looks for workspaces under it. In a statement that runs on a single row, it locks nothing else.
 */
export function keepsTemplate(templateId: RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from templates kept where kept.id = ${templateId} and not kept.deleted for key share)`;
}

/** Returns the condition that a user exists and stays until the transaction ends. */
export function keepsUser(userId: RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from users kept where kept.id = ${userId} and not kept.deleted for key share)`;
}

/** Keeps a template and a user from being deleted until the transaction ends, and returns whether each exists. */
async function lockOrigin(
  db: Queryable,
  templateId: string,
  userId: string,
): Promise<{ readonly hasTemplate: boolean; readonly hasOwner: boolean }> {
  const [origin] = await origins(db, templateId, userId);
  return origin ?? { hasTemplate: false, hasOwner: false };
}

const origins = prepareQuery(
  (_, templateId: string, userId: string) => sql<{
    readonly hasTemplate: boolean;
    readonly hasOwner: boolean;
  }>`
    select ${keepsTemplate(sql`${templateId}::uuid`)} as "hasTemplate",
      ${keepsUser(sql`${userId}::uuid`)} as "hasOwner"`,
);
