import { type Kysely, sql } from "kysely";

/** The scheduler finds what is due in `workspace_states`, no longer by these. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const index of ["workspaces_next_start", "workspace_builds_deadline"])
    await sql`drop index ${sql.ref(index)}`.execute(db);
}
