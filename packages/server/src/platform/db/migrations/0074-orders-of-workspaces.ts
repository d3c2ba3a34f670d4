import { type Kysely, sql } from "kysely";

/** Pages of lists of all workspaces are read in the order of these indexes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create index workspace_states_by_name on workspace_states (deleted, name, owner_name, workspace_id)`,
  // What needs a look first, then what is under way.
  `create function workspace_status_rank(status text) returns integer language sql immutable parallel safe as $$
    select array_position(array['failed', 'canceled', 'canceling', 'pending', 'starting', 'stopping', 'deleting', 'running',
      'stopped', 'deleted'], status)
  $$`,
  `create index workspace_states_by_status
    on workspace_states (deleted, workspace_status_rank(status), owner_name, name, workspace_id)`,
  `create index workspaces_by_last_use on workspaces (deleted, coalesce(last_used_at, created_at) desc, id)`,
];
