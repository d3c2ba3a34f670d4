import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";

/**
 * Locks a workspace until the transaction ends. Its updates never write columns that foreign keys refer to, so rows
 * that refer to the workspace may be inserted meanwhile.
 */
export function lockWorkspace(db: Queryable, workspaceId: string) {
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

/** Returns the same condition for a user, who may be given a workspace. */
export function keepsUser(userId: RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from users kept where kept.id = ${userId} and not kept.deleted for key share)`;
}

export async function lockOrigin(
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
