import { randomBytes } from "node:crypto";

import { canonicalScope, scopeNames } from "@slipway/api/contract/scopes";
import type { ScopeName } from "@slipway/api/contract/scopes";
import type { CreateTokenRequest } from "@slipway/api/users/token";
import { countText } from "@slipway/runtime";

import { mayHandOn } from "../../platform/auth/grants.ts";
import { keyLifetimes } from "../../platform/auth/session-key.ts";
import { lifetimeLimit, type TokenLimits } from "../../platform/auth/token-lifetime.ts";
import { type LimitName, limitVariable } from "../../platform/config/limits.ts";
import { forbidden, invalidField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { UserRow } from "./queries.ts";

const nanosecondsPerSecond = 1e9;
const daySeconds = 24 * 3600;

/** Returns the maximum lifetime of a token that the caller creates for a user, in nanoseconds. */
export function maxTokenLifetimeNs(
  caller: UserCaller,
  user: Pick<UserRow, "roles">,
  limits: TokenLimits,
): number {
  return maxLifetimeSeconds(caller, limits[lifetimeLimit(user)]) * nanosecondsPerSecond;
}

/** Returns the maximum lifetime of a new token: a token creates none that outlives it. */
function maxLifetimeSeconds({ grant }: UserCaller, maxDays: number): number {
  // One second for the request itself: the lifetime of the new token begins at its creation.
  const left = grant.secondsLeft === undefined ? Infinity : Math.max(grant.secondsLeft - 1, 0);
  return Math.min(maxDays * daySeconds, left);
}

/** Reads the name of a new token; generates one if it is absent. Throws `Invalid`. */
export function readTokenName(text: string | undefined): string {
  if (text === undefined || text === "") return `token-${randomBytes(6).toString("hex")}`;
  // The path `tokenconfig` is not that of a token.
  if (/^[\w.-]+$/.test(text) && text !== "tokenconfig") return text;
  throw invalidField(
    "token_name",
    `must consist of letters, digits, dots, dashes and underscores, and not be "tokenconfig", found "${text}"`,
  );
}

/** Reads the lifetime of a new token, in seconds; throws `Invalid` for one that is not allowed. */
export function readTokenLifetime(
  caller: UserCaller,
  nanoseconds: number | undefined,
  limit: LimitName,
  maxDays: number,
): number {
  const maxSeconds = maxLifetimeSeconds(caller, maxDays);
  if (nanoseconds === undefined || nanoseconds === 0) {
    return Math.min(keyLifetimes.commandSession, maxSeconds);
  }
  const seconds = Math.floor(nanoseconds / nanosecondsPerSecond);
  if (seconds >= 1 && seconds <= maxSeconds) return seconds;
  const most =
    maxSeconds < maxDays * daySeconds
      ? `${countText(maxSeconds, "second")}, when the token of this request expires`
      : `${maxDays} days (${limitVariable(limit)})`;
  throw invalidField(
    "lifetime",
    `must be between 1 second and ${most}, found ${lifetimeText(seconds)}`,
  );
}

function lifetimeText(seconds: number): string {
  return seconds % daySeconds === 0
    ? countText(seconds / daySeconds, "day")
    : countText(seconds, "second");
}

/**
 * Reads the requested grant; throws `Invalid` for resources without a type, `Forbidden` for more than the caller's own
 * key grants.
 */
export function readTokenGrant(
  caller: UserCaller,
  input: CreateTokenRequest,
): { readonly scopes: readonly ScopeName[]; readonly allowList: readonly string[] } {
  const asked = [...(input.scopes ?? []), ...(input.scope ? [input.scope] : [])];
  const given = [...new Set(asked.map(canonicalScope))];
  const scopes: readonly ScopeName[] = given.length === 0 ? ["coder:all"] : given;
  const entries = [...new Set((input.allow_list ?? []).map((entry) => entry.toLowerCase()))];
  const allowList = entries.length === 0 ? ["*:*"] : entries;
  requireTypes(allowList);
  if (mayHandOn(caller.grant, { scopes, allowList })) return { scopes, allowList };
  throw forbidden("A limited token cannot create a token with more permissions than its own.");
}

function requireTypes(allowList: readonly string[]): void {
  const types = new Set(scopeNames.map((name) => name.split(":")[0]));
  const index = allowList.findIndex((entry) => {
    const [type = ""] = entry.split(":");
    return type !== "*" && (type === "coder" || !types.has(type));
  });
  if (index === -1) return;
  throw invalidField(
    `allow_list.${index}`,
    `must start with *: or a type such as workspace:, found "${allowList[index] ?? ""}"`,
  );
}
