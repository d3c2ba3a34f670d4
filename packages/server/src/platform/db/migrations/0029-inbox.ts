import { type Kysely, sql } from "kysely";

/**
 * Messages to users. A message about something that happens again replaces the one of the same occasion, so that a
 * user has one of each.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table inbox_notifications (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    occasion text not null,
    template_id uuid not null,
    targets uuid[] not null,
    title text not null,
    content text not null,
    read_at timestamptz,
    created_at timestamptz not null default now(),
    unique (user_id, occasion))`,
];
