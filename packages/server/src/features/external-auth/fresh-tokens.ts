import { Backoff } from "@slipway/runtime";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import { timestampMs } from "../../platform/db/timestamp.ts";
import type { Platform } from "../../platform/platform.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import type { Provider, ProviderCounts } from "./provider.ts";
import { claimRefresh, endRefresh, type LinkRow, selectLink, storeRefreshed } from "./queries.ts";
import { openTokens, type ProviderTokens, sealTokens } from "./tokens.ts";

export interface FreshNeeds extends Platform {
  readonly secrets: SecretBox;
  readonly counts: ProviderCounts;
}

/**
 * The tokens of a link:
 * - `fresh`: they have not expired.
 * - `ended`: they have, or the provider has revoked them: the user has to log in again.
 * - `unknown`: they have expired, and the provider does not respond.
 */
export type FreshTokens =
  | { readonly type: "fresh"; readonly link: LinkRow; readonly tokens: ProviderTokens }
  | { readonly type: "ended"; readonly link: LinkRow; readonly reason: string }
  | { readonly type: "unknown"; readonly reason: string }
  | { readonly type: "none" };

/** Tokens are refreshed this long before they expire, or a tenth of their lifetime if that is less. */
const maxMarginMs = 60_000;
/** The time for all attempts of one refresh; after it the claim of a refresh ends too. */
const refreshMs = 15_000;
const leaseMs = 30_000;
/** The interval of polls for a refresh that another request carries out. */
const pollMs = 250;
const retryPolicy = { firstMs: 250, maxMs: 2_000, factor: 2, jitter: 0.2 };

/** Reads the tokens of a link; refreshes them, by one request of all replicas at a time, before they expire. */
export async function freshTokens(
  needs: FreshNeeds,
  userId: string,
  provider: Provider,
  signal: AbortSignal,
): Promise<FreshTokens> {
  const { db, clock, secrets } = needs;
  const deadlineMs = clock.now() + refreshMs;
  let wasRefreshed = false;
  for (;;) {
    const link = await selectLink(db, userId, provider.id);
    if (link === undefined) return { type: "none" };
    const tokens = openTokens(secrets, link.tokens_encrypted);
    const { expiresAtMs, refreshToken } = tokens;
    const isExpired = expiresAtMs !== undefined && expiresAtMs <= clock.now();
    if (!isNearExpiry(link, tokens, clock.now())) return { type: "fresh", link, tokens };
    if (!provider.mayRefresh || refreshToken === undefined) {
      if (!isExpired) return { type: "fresh", link, tokens };
      return { type: "ended", link, reason: link.refresh_failure ?? "the token has expired" };
    }
    // Some providers issue tokens that expire at once.
    if (wasRefreshed) return { type: "fresh", link, tokens };
    if (await claimRefresh(db, link, leaseMs)) {
      const failure = await refresh(needs, { link, tokens, refreshToken, provider }, deadlineMs);
      if (failure !== undefined && !isExpired) return { type: "fresh", link, tokens };
      if (failure?.retryable === true) return { type: "unknown", reason: failure.message };
      // Read again: with new tokens, or without a refresh token.
      wasRefreshed = failure === undefined;
      continue;
    }
    // Another request refreshes them; the tokens are valid meanwhile.
    if (!isExpired) return { type: "fresh", link, tokens };
    if (clock.now() >= deadlineMs) {
      return { type: "unknown", reason: "the token is still being refreshed" };
    }
    await clock.sleep(pollMs, signal);
  }
}

function isNearExpiry(link: LinkRow, { expiresAtMs }: ProviderTokens, nowMs: number): boolean {
  if (expiresAtMs === undefined) return false;
  const lifetimeMs = Math.max(0, expiresAtMs - timestampMs(link.updated_at));
  return expiresAtMs - Math.min(maxMarginMs, lifetimeMs / 10) <= nowMs;
}

interface DueRefresh {
  readonly link: LinkRow;
  readonly tokens: ProviderTokens;
  readonly refreshToken: string;
  readonly provider: Provider;
}

/** Refreshes claimed tokens; resolves to the reason if that failed. It outlives the request that needs it. */
async function refresh(
  needs: FreshNeeds,
  { link, tokens, refreshToken, provider }: DueRefresh,
  deadlineMs: number,
): Promise<ProviderError | undefined> {
  const { db, secrets, clock, logger, counts, pubsub } = needs;
  const signal = AbortSignal.timeout(Math.max(1, deadlineMs - clock.now()));
  const fields = { provider: provider.id, user: link.user_id };
  try {
    const refreshed = await withRetries(needs, { deadlineMs, signal }, () =>
      counts.count(provider, "refresh", () =>
        provider.client.refresh(refreshToken, { nowMs: clock.now(), signal }),
      ),
    );
    // The tokens of a login since then stay.
    await storeRefreshed(db, link, sealTokens(secrets, refreshed));
    pubsub.publish(topics.externalAuth(link.user_id));
    return undefined;
  } catch (error) {
    const failure = asProviderError(error, signal);
    if (failure.retryable) {
      logger.warn({ ...fields, error: failure.message }, "cannot refresh external token");
      await endRefresh(db, link, undefined);
    } else {
      logger.info({ ...fields, error: failure.message }, "provider refused to refresh token");
      const left = sealTokens(secrets, { ...tokens, refreshToken: undefined });
      const { tokensEncrypted } = left;
      await endRefresh(db, link, { tokensEncrypted, reason: failure.message });
      pubsub.publish(topics.externalAuth(link.user_id));
    }
    return failure;
  }
}

function asProviderError(error: unknown, signal: AbortSignal): ProviderError {
  if (error instanceof ProviderError) return error;
  if (signal.aborted) return new ProviderError("unreachable", "it did not answer in time");
  throw error;
}

async function withRetries<T>(
  { clock }: Pick<FreshNeeds, "clock">,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
  request: () => Promise<T>,
): Promise<T> {
  const backoff = new Backoff(retryPolicy);
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const isRetryable = error instanceof ProviderError && error.retryable;
      const waitMs = backoff.next();
      if (!isRetryable || clock.now() + waitMs >= deadlineMs) throw error;
      await clock.sleep(waitMs, signal);
    }
  }
}
