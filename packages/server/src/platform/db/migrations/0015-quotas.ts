import { type Kysely, sql } from "kysely";

/** The usage of a user's limits (docs/configuration.md, Limits). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/**
 * Locks the users until the end of the transaction, then counts: in one function, because each statement of its body
 * sees what was committed while it waited for the lock. `running` counts every workspace except those whose newest
 * build is a successful stop; `is_running` tells whether `for_workspace` is one of them.
 */
const statements = [
  `create function lock_and_count_use(
    for_owner uuid, for_initiator uuid, for_workspace uuid,
    out workspaces integer, out running integer, out is_running boolean, out pending_builds integer)
  language plpgsql as $$
  begin
    perform from users where id in (for_owner, for_initiator) order by id for no key update;
    select count(*), count(*) filter (where runs), coalesce(bool_or(w.id = for_workspace and runs), false)
      into workspaces, running, is_running
      from workspaces w left join lateral (
        select not (b.transition = 'stop' and j.completed_at is not null and j.error is null
            and j.canceled_at is null) as runs
          from workspace_builds b join jobs j on j.id = b.job_id
          where b.workspace_id = w.id
          order by b.build_number desc limit 1) newest on true
      where w.owner_id = for_owner and not w.deleted;
    select count(*) into pending_builds from jobs
      where type = 'workspace_build' and initiator_id = for_initiator and completed_at is null;
  end $$`,
];
