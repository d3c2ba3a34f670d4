import { type Kysely, sql } from "kysely";

/** A user who logs in with a password has no identity at a provider: setting a password ends the login there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create trigger user_identity_ends_with_password after update of login_type on users
        for each row when (new.login_type = 'password') execute function remove_user_identity()`,
    )
    .execute(db);
}
