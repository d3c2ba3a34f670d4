import type { ExternalAuthRemoval } from "@slipway/api/external-auth/external-auth";
import type { Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, NotFound, Unavailable } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { recordAudit } from "../audit/service.ts";
import { type FreshNeeds, freshTokens, type FreshTokens } from "./fresh-tokens.ts";
import type { BegunLogIn } from "./oauth-client.ts";
import type { Provider, Providers } from "./provider.ts";
import { deleteLink, type LinkRow, selectLink, upsertLink } from "./queries.ts";
import { checkToken, type ProviderUser } from "./token-check.ts";
import { openTokens, type ProviderTokens, sealTokens } from "./tokens.ts";

export { type Provider, providerPath } from "./provider.ts";
export { gitCredentials, type ProviderTokens } from "./tokens.ts";

export interface ExternalAuthNeeds extends FreshNeeds {
  readonly providers: Providers;
}

/**
 * The usability of a token:
 * - `valid`: the provider accepts it.
 * - `log-in`: there is none, or it is no longer valid: the user has to log in.
 * - `unknown`: the provider does not respond.
 */
export type UsableToken =
  | {
      readonly type: "valid";
      readonly tokens: ProviderTokens;
      readonly user: ProviderUser | undefined;
    }
  | { readonly type: "log-in"; readonly reason: string; readonly version: string | undefined }
  | { readonly type: "unknown"; readonly reason: string };

/** Returns a provider by its id; throws `NotFound`. */
export function requireProvider({ list }: Providers, id: string): Provider {
  const provider = list.find((one) => one.id === id);
  if (provider !== undefined) return provider;
  throw new NotFound(`No external auth provider "${id}" is configured on this server.`);
}

/** Returns a user's token of a provider: refreshed before it expires, and validated if the provider supports that. */
export async function usableToken(
  needs: ExternalAuthNeeds,
  userId: string,
  provider: Provider,
  signal: AbortSignal,
): Promise<UsableToken> {
  const fresh = await freshTokens(needs, userId, provider, signal);
  switch (fresh.type) {
    case "none":
      return { type: "log-in", reason: "", version: undefined };
    case "ended":
      return { type: "log-in", reason: fresh.reason, version: versionOf(fresh.link) };
    case "unknown":
      return fresh;
    case "fresh":
      return validate(needs, provider, fresh, signal);
  }
}

/** Returns the version of the tokens of a link, which differs whenever others are stored; undefined if there is none. */
export async function linkVersion(
  db: Queryable,
  userId: string,
  { id }: Provider,
): Promise<string | undefined> {
  const link = await selectLink(db, userId, id);
  return link && versionOf(link);
}

/** Returns a text that differs whenever other tokens are stored. */
function versionOf({ id, version }: LinkRow): string {
  return `${id} ${version}`;
}

async function validate(
  { counts }: ExternalAuthNeeds,
  provider: Provider,
  { link, tokens }: Extract<FreshTokens, { readonly type: "fresh" }>,
  signal: AbortSignal,
): Promise<UsableToken> {
  const { validateUrl, fetch } = provider;
  if (validateUrl === undefined) return { type: "valid", tokens, user: undefined };
  try {
    const checked = await counts.count(provider, "validate", () =>
      checkToken(validateUrl, fetch, tokens.accessToken, signal),
    );
    return checked.type === "valid"
      ? { ...checked, tokens }
      : { type: "log-in", reason: checked.reason, version: versionOf(link) };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { type: "unknown", reason: error.message };
  }
}

/** Completes a login with the provider's answer, and stores its tokens. Throws `ProviderError`. */
export async function completeLogIn(
  needs: ExternalAuthNeeds,
  caller: UserCaller,
  provider: Provider,
  { answer, begun, signal }: ProviderAnswer,
): Promise<void> {
  const nowMs = needs.clock.now();
  const tokens = await needs.counts.count(provider, "exchange", () =>
    provider.client.exchange(answer, begun, { nowMs, signal }),
  );
  await storeTokens(needs, caller, provider, tokens);
}

interface ProviderAnswer {
  readonly answer: URLSearchParams;
  readonly begun: BegunLogIn;
  readonly signal: AbortSignal;
}

/** Stores the tokens of a login in place of earlier ones. */
export async function storeTokens(
  { db, pubsub, secrets, logger }: ExternalAuthNeeds,
  caller: UserCaller,
  { id: providerId }: Provider,
  tokens: ProviderTokens,
): Promise<void> {
  const { id: userId } = caller;
  const sealed = sealTokens(secrets, tokens);
  await inTransaction(db, async (trx) => {
    const link = await upsertLink(trx, { userId, providerId }, sealed);
    if (link === undefined) throw new Conflict("This user was deleted.");
    const action = link.version === 1 ? "create" : "write";
    await recordLinkChange(trx, caller, { id: link.id, providerId }, action);
  });
  pubsub.publish(topics.externalAuth(userId));
  logger.info({ provider: providerId, user: userId }, "user linked to an external provider");
}

/** Removes a user's link to a provider, and has the provider revoke its tokens if it can. */
export async function removeLink(
  needs: ExternalAuthNeeds,
  caller: UserCaller,
  providerId: string,
  signal: AbortSignal,
): Promise<ExternalAuthRemoval> {
  const { db, secrets, providers, pubsub } = needs;
  const { id: userId } = caller;
  const row = await inTransaction(db, async (trx) => {
    const link = await deleteLink(trx, userId, providerId);
    if (link === undefined) throw new NotFound(`You are not logged in to "${providerId}".`);
    await recordLinkChange(trx, caller, { id: link.id, providerId }, "delete");
    return link;
  });
  pubsub.publish(topics.externalAuth(userId));
  const provider = providers.byId(providerId);
  if (provider?.revokeUrl === undefined) return { token_revoked: false };
  const tokens = openTokens(secrets, row.tokens_encrypted);
  try {
    await needs.counts.count(provider, "revoke", () => provider.client.revoke(tokens, { signal }));
    return { token_revoked: true };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { token_revoked: false, token_revocation_error: error.message };
  }
}

/** Creates the error of a request that depends on a provider which does not respond. */
export function providerFailed(provider: Provider, reason: string): Unavailable {
  return new Unavailable(`${provider.displayName} cannot be asked now.`, { detail: reason });
}

interface ChangedLink {
  readonly id: string;
  readonly providerId: string;
}

/** Records that a user logged in to a provider (`create`), logged in again (`write`) or logged out (`delete`). */
async function recordLinkChange(
  trx: Transaction<DB>,
  by: UserCaller,
  { id, providerId }: ChangedLink,
  action: "create" | "write" | "delete",
): Promise<void> {
  await recordAudit(trx, {
    by,
    organizationId: undefined,
    action,
    resourceType: "external_auth_link",
    resourceId: id,
    target: providerId,
    diff: { tokens: { old: "", new: "", secret: true } },
  });
}
