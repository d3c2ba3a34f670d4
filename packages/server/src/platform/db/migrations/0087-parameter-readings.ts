import { type Kysely, sql } from "kysely";

/** Questions of forms to provisioners: each is addressed to a session, whose server asks the provisioner and writes the answer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table parameter_readings (
    id uuid primary key default gen_random_uuid(),
    session_id uuid not null,
    template_version_id uuid not null references template_versions (id) on delete cascade,
    owner_id uuid not null references users (id) on delete cascade,
    given jsonb not null,
    parameters jsonb,
    error text,
    answered_at timestamptz,
    created_at timestamptz not null default now())`,
  `create index parameter_readings_open on parameter_readings (session_id, created_at) where answered_at is null`,
  `create index parameter_readings_age on parameter_readings (created_at)`,
  `alter table workers add column reads_parameters boolean not null default false`,
];
