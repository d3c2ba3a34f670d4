import type { Session } from "@slipway/api/users/session-routes";
import type { ApiKey, ListedToken } from "@slipway/api/users/token";
import { sql } from "kysely";

import { endSession, endSessionsBut } from "../../platform/auth/queries.ts";
import { isOwnerRole } from "../../platform/auth/rights.ts";
import { endOfKey } from "../../platform/auth/token-lifetime.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
import { recordKeyChange } from "./audit.ts";
import type { UserRow } from "./queries.ts";
import type { TokenNeeds } from "./token-service.ts";

/** Lists the tokens of a user; for an owner, `includeAll` adds those of all other users. */
export async function listTokens(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  options: { readonly includeAll: boolean; readonly includeExpired: boolean },
): Promise<ListedToken[]> {
  const includesAll = options.includeAll && isOwnerRole(caller);
  const rows = await selectTokens(needs, {
    userId: includesAll ? undefined : user.id,
    includeExpired: options.includeExpired,
  });
  return rows.map((row) => Object.assign(keyJson(row), { username: row.username }));
}

export async function readTokenByName(
  needs: TokenNeeds,
  user: UserRow,
  name: string,
): Promise<ApiKey> {
  return keyJson(required(await selectToken(needs, user.id, name)));
}

export async function readKey(needs: TokenNeeds, user: UserRow, id: string): Promise<ApiKey> {
  return keyJson(required(await selectKey(needs, user.id, id)));
}

export async function deleteKey(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  id: string,
): Promise<void> {
  const key = required(await selectKey(needs, user.id, id));
  await inTransaction(needs.db, async (trx) => {
    // Another request may be first.
    if (!(await endSession(trx, key.id))) throw notFound();
    await recordKeyChange(trx, caller, { userId: user.id, name: key.token_name }, "delete");
  });
}

/** Expires a key at once; a token keeps its name until it is deleted. */
export async function expireKey(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  id: string,
): Promise<void> {
  await inTransaction(needs.db, async (trx) => {
    await lockKey(trx, id);
    const key = required(await selectKey({ ...needs, db: trx }, user.id, id));
    const { expires_at } = await updateExpiry(trx, id);
    // It had expired already.
    if (expires_at === key.expires_at) return;
    const diff = diffOf({ expires_at: key.expires_at }, { expires_at });
    await recordKeyChange(trx, caller, { userId: user.id, name: key.token_name }, "write", diff);
  });
}

/** The maximum number of sessions that a list shows, the last used first. */
const maxListedSessions = 500;

/** Lists the current sessions of a user, the last used first. */
export async function readSessions(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
): Promise<Session[]> {
  const rows = await selectSessions(needs, user.id, maxListedSessions);
  return rows.flatMap(({ login_type: type, created_by: createdBy, ...row }) =>
    type === "token"
      ? []
      : [
          {
            id: row.id,
            is_current: row.id === caller.keyId,
            login_type: type,
            created_at: row.created_at,
            last_used: row.last_used ?? neverUsed,
            expires_at: row.expires_at,
            ip: row.ip,
            user_agent: row.user_agent,
            ...(createdBy === null ? {} : { created_by: createdBy }),
          },
        ],
  );
}

/** Ends the sessions of a user except the caller's; API tokens stay. */
export async function endOtherSessions(
  { db }: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await endSessionsBut(trx, user.id, caller.keyId);
    await recordKeyChange(trx, caller, { userId: user.id, name: "" }, "delete");
  });
}

function required(row: KeyRow | undefined): KeyRow {
  if (row === undefined) throw notFound();
  return row;
}

const neverUsed = "1970-01-01T00:00:00Z";

function keyJson(row: KeyRow): ApiKey {
  return {
    id: row.id,
    user_id: row.user_id,
    last_used: row.last_used ?? neverUsed,
    expires_at: row.expires_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
    login_type: row.login_type,
    scope: oldScope(row.scopes),
    scopes: row.scopes,
    token_name: row.token_name,
    lifetime_seconds: row.lifetime_seconds,
    allow_list: row.allow_list,
    ...(row.created_by === null ? {} : { created_by: row.created_by }),
  };
}

function oldScope(scopes: readonly string[]): ApiKey["scope"] {
  if (scopes.includes("coder:all")) return "all";
  return scopes.join() === "coder:application_connect" ? "application_connect" : "";
}

/** Selects keys. The current limits of lifetimes end a token whatever its original lifetime. */
function keys({ db, limits }: TokenNeeds) {
  return db
    .selectFrom("api_keys as key")
    .innerJoin("users as user", "user.id", "key.user_id")
    .where("user.deleted", "=", sql.lit(false))
    .select([
      "key.id",
      "key.user_id",
      "user.username",
      "key.login_type",
      "key.token_name",
      "key.scopes",
      "key.allow_list",
      "key.lifetime_seconds",
      "key.created_by",
      "key.last_used",
      "key.created_at",
      "key.updated_at",
      "key.ip",
      "key.user_agent",
      endOfKey(limits).as("expires_at"),
    ]);
}

function selectSessions(needs: TokenNeeds, userId: string, limit: number) {
  return keys(needs)
    .where("key.user_id", "=", userId)
    .where("key.login_type", "<>", "token")
    .where(endOfKey(needs.limits), ">", sql<string>`now()`)
    .orderBy(sql`coalesce(key.last_used, key.created_at)`, "desc")
    .limit(limit)
    .execute();
}

function selectKey(needs: TokenNeeds, userId: string, id: string) {
  return keys(needs).where("key.user_id", "=", userId).where("key.id", "=", id).executeTakeFirst();
}

type KeyRow = NonNullable<Awaited<ReturnType<typeof selectKey>>>;

function selectToken(needs: TokenNeeds, userId: string, name: string) {
  return keys(needs)
    .where("key.user_id", "=", userId)
    .where("key.login_type", "=", "token")
    .where("key.token_name", "=", name)
    .executeTakeFirst();
}

/** Selects tokens, newest first: all users' if `userId` is undefined. */
function selectTokens(
  needs: TokenNeeds,
  filter: { readonly userId: string | undefined; readonly includeExpired: boolean },
) {
  return keys(needs)
    .where("key.login_type", "=", "token")
    .$if(filter.userId !== undefined, (query) =>
      query.where("key.user_id", "=", filter.userId ?? ""),
    )
    .$if(!filter.includeExpired, (query) =>
      query.where(endOfKey(needs.limits), ">", sql<string>`now()`),
    )
    .orderBy("key.created_at", "desc")
    .execute();
}

async function lockKey(db: Queryable, id: string): Promise<void> {
  await db.selectFrom("api_keys").where("id", "=", id).select("id").forUpdate().execute();
}

/** Expires a key that is there; resolves to the time of its end. */
function updateExpiry(db: Queryable, id: string): Promise<{ readonly expires_at: string }> {
  return db
    .updateTable("api_keys")
    .set({ expires_at: sql`least(expires_at, now())`, updated_at: sql`now()` })
    .where("id", "=", id)
    .returning("expires_at")
    .executeTakeFirstOrThrow();
}
