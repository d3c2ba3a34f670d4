import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/**
 * Locks a workspace until the transaction ends. Nothing refers to columns that a change of it could write, so that rows which
 * refer to the workspace may be inserted meanwhile.
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
 * Whether a template is there, and stays until the transaction ends: its deletion takes the lock that conflicts with this one,
 * and looks for workspaces under it. As a condition of a statement that runs on a single row, it locks nothing else.
 */
export function keepsTemplate(templateId: RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from templates kept where kept.id = ${templateId} and not kept.deleted for key share)`;
}

/** The same of a user, who may be given a workspace. */
export function keepsUser(userId: RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from users kept where kept.id = ${userId} and not kept.deleted for key share)`;
}

export async function lockOrigin(
  db: Queryable,
  templateId: string,
  userId: string,
): Promise<{ readonly hasTemplate: boolean; readonly hasOwner: boolean }> {
  const { rows } = await sql<{ readonly hasTemplate: boolean; readonly hasOwner: boolean }>`
    select ${keepsTemplate(sql`${templateId}::uuid`)} as "hasTemplate",
      ${keepsUser(sql`${userId}::uuid`)} as "hasOwner"`.execute(db);
  return rows[0] ?? { hasTemplate: false, hasOwner: false };
}
