import { type RawBuilder, sql } from "kysely";

import type { Limits } from "../config/limits.ts";

/** The limits of API tokens and of sessions. */
export type TokenLimits = Pick<
  Limits,
  "maxTokenDays" | "maxOwnerTokenDays" | "maxSessionDays" | "maxIdleSessionHours"
>;

/** Returns the limit for a user's tokens; an owner's tokens allow everything, so they have their own. */
export function lifetimeLimit(user: {
  readonly roles: readonly string[];
}): "maxTokenDays" | "maxOwnerTokenDays" {
  return user.roles.includes("owner") ? "maxOwnerTokenDays" : "maxTokenDays";
}

/** Longer than any session; PostgreSQL has no unlimited interval. */
const maxDays = 36_525;

/**
 * Returns the time at which a key `key` of the user `user` expires, no later than the present limits allow, regardless of
 * those at its creation: for an API token by its user's limit; for a session a time after its creation, and a time after
 * its last use, which is recorded at most hourly.
 */
export function endOfKey(limits: TokenLimits): RawBuilder<string> {
  const { maxTokenDays, maxOwnerTokenDays, maxSessionDays, maxIdleSessionHours } = limits;
  return sql<string>`case key.login_type when 'token'
    then least(key.expires_at, key.created_at + make_interval(days =>
      case when 'owner' = any("user".roles) then ${maxOwnerTokenDays}::integer else ${maxTokenDays}::integer end))
    else least(key.expires_at,
      key.created_at + make_interval(days => least(${maxSessionDays}::float8, ${sql.lit(maxDays)})::integer),
      coalesce(key.last_used, key.created_at) + make_interval(hours => ${maxIdleSessionHours}::integer)) end`;
}
