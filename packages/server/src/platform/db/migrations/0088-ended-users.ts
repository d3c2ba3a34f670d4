import { type Kysely, sql } from "kysely";

/** The private key and the inbox of a deleted user are removed, as are the links to providers (migration 0028). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const tables = ["git_ssh_keys", "inbox_notifications", "device_lookups"];

const statements = [
  `create function remove_belongings() returns trigger language plpgsql as $$
    begin
      ${tables.map((table) => `delete from ${table} where user_id = new.id;`).join("\n      ")}
      return null;
    end $$`,
  `create trigger belongings_end after update of deleted on users
    for each row when (new.deleted) execute function remove_belongings()`,
  ...tables.map((table) => `delete from ${table} using users where users.id = user_id and deleted`),
];
