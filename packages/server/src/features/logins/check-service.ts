import { errorText, spread } from "@slipway/runtime";

import { endSessionsBut } from "../../platform/auth/queries.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordAudit } from "../audit/service.ts";
import { keyEntry } from "../users/audit.ts";
import { lockUser } from "../users/lock-service.ts";
import { decideAccess } from "./access-rules.ts";
import {
  claimChecks,
  type DueIdentity,
  endChecks,
  postponeCheck,
  storeChecked,
} from "./check-queries.ts";
import { LogInError } from "./errors.ts";
import { openDetails, sealDetails } from "./identity.ts";
import { readProfile } from "./profile.ts";
import type { LogInProviders, Provider } from "./providers.ts";

export interface CheckNeeds extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly secrets: SecretBox;
  readonly providers: LogInProviders;
}

/** A person with sessions is checked this often. */
const checkMs = 3600 * 1000;
/** The time after which another replica may repeat a check that was not completed. */
const leaseMs = 60_000;
/** The pause before a provider that did not answer is asked again. */
const postponeMs = 5 * 60_000;
const roundMs = 60_000;
/** The maximum number of people that are checked at once. */
const maxAtOnce = 8;

/**
 * Asks the providers regularly whether people with sessions may still log in, until the signal is aborted. The sessions of a
 * person whom the provider or a rule no longer admits end; an unreachable provider ends none.
 */
export async function runLogInChecks(needs: CheckNeeds, signal: AbortSignal): Promise<void> {
  const { clock, logger, providers } = needs;
  if (providers.list.length === 0) return;
  for (;;) {
    await clock.sleep(spread(roundMs), signal);
    try {
      while ((await checkDue(needs)) === maxAtOnce) signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ error: errorText(error) }, "cannot check logins");
    }
  }
}

/** Checks the people who are due, at most `maxAtOnce`, and resolves to their number. */
export async function checkDue(needs: CheckNeeds): Promise<number> {
  const { db, providers } = needs;
  const providerIds = providers.list.map(({ id }) => id);
  const limits = { afterMs: checkMs, leaseMs, limit: maxAtOnce };
  const due = await claimChecks(db, { providerIds, ...limits });
  await Promise.all(
    due.map(async (identity) => {
      const provider = providers.byId(identity.provider_id);
      if (provider !== undefined) await check(needs, provider, identity);
    }),
  );
  return due.length;
}

async function check(needs: CheckNeeds, provider: Provider, identity: DueIdentity): Promise<void> {
  const { db, secrets, logger } = needs;
  const details = openDetails(secrets, identity.details_encrypted);
  // Lost with their key: the next login stores others.
  if (details.tokens === undefined) return void (await endChecks(db, identity));
  try {
    const checked = await provider.client.check(details.tokens);
    if (checked.type === "ended") return await end(needs, provider, identity, "ended");
    const { tokens, claims = details.claims } = checked;
    if (checked.claims !== undefined) {
      const access = decideAccess(provider, readProfile(provider, claims));
      if (access.type === "refused") return await end(needs, provider, identity, access.code);
    }
    await storeChecked(db, identity, sealDetails(secrets, { claims, tokens }));
  } catch (error) {
    if (!(error instanceof LogInError)) throw error;
    const fields = { provider: provider.id, code: error.code, error: errorText(error) };
    logger.warn(fields, "cannot check a login");
    await postponeCheck(db, identity, postponeMs);
  }
}

/** Ends the sessions of a person, unless they have logged in again meanwhile. */
async function end(
  { db, logger }: CheckNeeds,
  { id: providerId }: Provider,
  identity: DueIdentity,
  reason: string,
): Promise<void> {
  const { user_id: userId } = identity;
  const isEnded = await inTransaction(db, async (trx) => {
    await lockUser(trx, userId);
    if (!(await endChecks(trx, identity))) return false;
    await endSessionsBut(trx, userId, undefined);
    const by = { id: userId, origin: undefined };
    const entry = keyEntry(by, { userId, name: "" }, "delete");
    await recordAudit(trx, { ...entry, fields: { login_provider: providerId, reason } });
    return true;
  });
  if (isEnded) logger.info({ user: userId, provider: providerId, reason }, "sessions ended");
}
