import { type RawBuilder, sql } from "kysely";

import type { Limits } from "../config/limits.ts";

export type TokenLimits = Pick<Limits, "maxTokenDays" | "maxOwnerTokenDays">;

/** Returns the limit for a user's tokens; an owner's tokens allow everything, so they have their own. */
export function lifetimeLimit(user: { readonly roles: readonly string[] }): keyof TokenLimits {
  return user.roles.includes("owner") ? "maxOwnerTokenDays" : "maxTokenDays";
}

/**
 * Returns the time at which a key `key` of the user `user` expires: for an API token no later than its user's present
 * limit allows, regardless of the limit at its creation.
 */
export function endOfKey({ maxTokenDays, maxOwnerTokenDays }: TokenLimits): RawBuilder<string> {
  return sql<string>`case key.login_type when 'token'
    then least(key.expires_at, key.created_at + make_interval(days =>
      case when 'owner' = any("user".roles) then ${maxOwnerTokenDays}::integer else ${maxTokenDays}::integer end))
    else key.expires_at end`;
}
