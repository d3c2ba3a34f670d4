import { type Kysely, sql } from "kysely";

/**
 * Shared ports of workspaces, and the highest level that a template allows. A share is one owner's: under another owner
 * of the workspace it means nothing. Shares of a deleted workspace are removed with it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table workspace_port_shares (
    workspace_id uuid not null references workspaces (id) on delete cascade,
    agent_name text not null,
    port integer not null check (port between 9 and 65535),
    owner_id uuid not null references users (id) on delete cascade,
    share_level text not null check (share_level in ('organization', 'authenticated', 'public')),
    protocol text not null check (protocol in ('http', 'https')),
    primary key (workspace_id, agent_name, port))`,
  `alter table templates add column max_port_share_level text not null default 'public'
    check (max_port_share_level in ('owner', 'organization', 'authenticated', 'public'))`,
  `create function remove_port_shares() returns trigger language plpgsql as $$
    begin
      delete from workspace_port_shares where workspace_id = new.id;
      return null;
    end $$`,
  // Only statements that name the column fire it, which claims do not.
  `create trigger port_shares_end after update of deleted on workspaces
    for each row when (new.deleted) execute function remove_port_shares()`,
];
