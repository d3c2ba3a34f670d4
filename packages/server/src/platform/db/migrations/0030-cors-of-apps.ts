import { type Kysely, sql } from "kysely";

/**
 * The decision of a template whether the apps of its workspaces say themselves which pages may read their responses.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table templates add column cors_behavior text not null default 'simple'
    check (cors_behavior in ('simple', 'passthru'))`.execute(db);
}
