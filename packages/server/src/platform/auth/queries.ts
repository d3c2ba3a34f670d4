import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { prepareQuery } from "../db/prepared-query.ts";
import type { KeyOrigin } from "./session-key.ts";
import { endOfKey, type TokenLimits } from "./token-lifetime.ts";

/** Revokes a session or token; resolves to false if it had ended. */
export async function endSession(db: Queryable, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("api_keys")
    .where("id", "=", id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/**
 * Revokes every session and token of a user, and those that the user created for others: an intruder may hold any of
 * them.
 */
export async function endSessionsOf(db: Queryable, userId: string): Promise<void> {
  await db
    .deleteFrom("api_keys")
    .where(({ eb, or }) => or([eb("user_id", "=", userId), eb("created_by", "=", userId)]))
    .execute();
}

/** Revokes the sessions of a user, except the one of that id; API tokens stay: programs use them without the person. */
export async function endSessionsBut(
  db: Queryable,
  userId: string,
  keptId: string | undefined,
): Promise<void> {
  await db
    .deleteFrom("api_keys")
    .where("user_id", "=", userId)
    .where("login_type", "<>", "token")
    .$if(keptId !== undefined, (query) => query.where("id", "<>", keptId ?? ""))
    .execute();
}

/** Revokes the sessions and tokens of a user that other users created. */
export async function endKeysMadeByOthers(db: Queryable, userId: string): Promise<void> {
  await db
    .deleteFrom("api_keys")
    .where("user_id", "=", userId)
    .where("created_by", "<>", userId)
    .execute();
}

const keys = prepareQuery(
  (
    db,
    id: string,
    maxTokenDays: number,
    maxOwnerTokenDays: number,
    maxSessionDays: number,
    maxIdleSessionHours: number,
  ) => {
    const end = endOfKey({ maxTokenDays, maxOwnerTokenDays, maxSessionDays, maxIdleSessionHours });
    return db
      .selectFrom("api_keys as key")
      .innerJoin("users as user", "user.id", "key.user_id")
      .leftJoin("users as creator", "creator.id", "key.created_by")
      .where("key.id", "=", id)
      .where("user.deleted", "=", sql.lit(false))
      .select([
        "key.id",
        "key.hashed_secret",
        end.as("expires_at"),
        "key.scopes",
        "key.allow_list",
        "creator.id as creator_id",
        "creator.username as creator_name",
        "creator.status as creator_status",
        "user.id as user_id",
        "user.username",
        "user.roles",
        "user.status",
        sql<boolean>`${end} <= now()`.as("is_expired"),
        sql<number | null>`case key.login_type when 'token'
        then floor(extract(epoch from ${end} - now()))::float8 end`.as("seconds_left"),
        sql<boolean>`key.last_used is null or key.last_used < now() - interval '1 hour'`.as(
          "is_stale",
        ),
      ]);
  },
);

export type FoundKey = Awaited<ReturnType<typeof keys>>[number];

/** Finds a key with its user; `is_stale` if its use must be recorded again. */
export async function findKey(
  db: Queryable,
  id: string,
  limits: TokenLimits,
): Promise<FoundKey | undefined> {
  const { maxTokenDays, maxOwnerTokenDays, maxSessionDays, maxIdleSessionHours } = limits;
  const [key] = await keys(
    db,
    id,
    maxTokenDays,
    maxOwnerTokenDays,
    maxSessionDays,
    maxIdleSessionHours,
  );
  return key;
}

/** Returns the keys that are currently valid, with their users' roles. */
export function selectLiveKeys(db: Queryable, ids: readonly string[], limits: TokenLimits) {
  return db
    .selectFrom("api_keys as key")
    .innerJoin("users as user", "user.id", "key.user_id")
    .leftJoin("users as creator", "creator.id", "key.created_by")
    .where(sql<boolean>`key.id = any(${sql.val([...ids])}::text[])`)
    .where(endOfKey(limits), ">", sql<string>`now()`)
    .where("user.deleted", "=", sql.lit(false))
    .where("user.status", "!=", "suspended")
    .where(sql<boolean>`creator.status is distinct from 'suspended'`)
    .select(["key.id", "user.roles"])
    .execute();
}

/**
 * Records the use of a key, with the request that uses it if known, and slides the expiry of a session
 * (docs/protocol/rest.md §1.3).
 */
export async function touchKey(
  db: Queryable,
  id: string,
  origin: KeyOrigin | undefined,
): Promise<void> {
  // Locks the user first, as the deletion of all of a user's keys does.
  const seen = db
    .updateTable("users")
    .where("id", "=", ({ selectFrom }) =>
      selectFrom("api_keys").where("id", "=", id).select("user_id"),
    )
    .set({ last_seen_at: sql`now()`, updated_at: sql`now()` })
    .returning("id");
  await db
    .with("seen", () => seen)
    .updateTable("api_keys")
    .from("seen")
    .set({
      last_used: sql`now()`,
      updated_at: sql`now()`,
      ...(origin === undefined ? {} : { ip: origin.ip, user_agent: origin.userAgent }),
      expires_at: sql`case when login_type = 'token' then expires_at
        else greatest(expires_at, now() + make_interval(secs => lifetime_seconds)) end`,
    })
    .where("api_keys.id", "=", id)
    .whereRef("api_keys.user_id", "=", "seen.id")
    .execute();
}

/** Marks a dormant or new user as active once they log in. */
export async function activateDormant(db: Queryable, id: string): Promise<void> {
  await db
    .updateTable("users")
    .set({ status: "active", updated_at: sql`now()`, last_seen_at: sql`now()` })
    .where("id", "=", id)
    .where("status", "=", "dormant")
    .execute();
}

const liveAgents = prepareQuery((db, tokenHashes: readonly Buffer[]) =>
  db
    .selectFrom(
      sql<{ hash: Buffer }>`unnest(${tokenHashes}::bytea[])`.as<"wanted">(sql`wanted (hash)`),
    )
    // Each agent is looked up separately: a join would read every build of every workspace while there are few of them.
    .innerJoinLateral(
      ({ selectFrom }) =>
        selectFrom("live_agents")
          .whereRef("auth_token_hash", "=", "wanted.hash")
          .select(["id as agent_id", "name as agent_name", "build_id", "workspace_id", "owner_id"])
          .limit(sql.lit(1))
          .as("agent"),
      (join) => join.onTrue(),
    )
    .selectAll()
    .select(sql<string>`now()`.as("now")),
);

export type LiveAgent = Awaited<ReturnType<typeof liveAgents>>[number];

/** Selects the live agents of tokens (docs/protocol/rest.md §1.4), by the token's hash in hex. */
export async function selectLiveAgents(
  db: Queryable,
  tokenHashes: readonly string[],
): Promise<ReadonlyMap<string, LiveAgent>> {
  const rows = await liveAgents(
    db,
    tokenHashes.map((hash) => Buffer.from(hash, "hex")),
  );
  return new Map(rows.map((row) => [row.hash.toString("hex"), row]));
}

/** Returns whether the agent of a token is not live because its workspace is stopped. */
export async function isOfStoppedWorkspace(db: Queryable, tokenHash: Buffer): Promise<boolean> {
  const row = await db
    .selectFrom("stopped_agents")
    .where("auth_token_hash", "=", tokenHash)
    .select("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Finds the live agent of a token. */
export async function findLiveAgent(
  db: Queryable,
  tokenHash: Buffer,
): Promise<LiveAgent | undefined> {
  const hash = tokenHash.toString("hex");
  return (await selectLiveAgents(db, [hash])).get(hash);
}
