import { type Kysely, sql } from "kysely";

/** Agents identified by their cloud instance, besides those started with their token. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table workspace_agents
    add column auth text not null default 'token'
      check (auth in ('token', 'aws-instance-identity', 'azure-instance-identity', 'google-instance-identity')),
    add column auth_instance_id text,
    add check ((auth = 'token') = (auth_instance_id is null))`,
  `create index workspace_agents_instance on workspace_agents (auth_instance_id)
    where auth_instance_id is not null and not deleted`,
];
