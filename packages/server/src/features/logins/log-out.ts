import { errorText } from "@slipway/runtime";

import type { CheckNeeds } from "./check-service.ts";
import { LogInError } from "./errors.ts";
import { openDetails } from "./identity.ts";
import { selectIdentity } from "./queries.ts";

interface LogOutNeeds extends Pick<CheckNeeds, "db" | "secrets" | "providers" | "logger"> {
  readonly accessUrl: () => string;
}

/**
 * Returns the address at which a user's browser ends the session at their provider and comes back to the login page; undefined if
 * the provider has none, does not answer, or should not be told.
 */
export async function providerLogOutUrl(
  { db, secrets, providers, logger, accessUrl }: LogOutNeeds,
  userId: string,
): Promise<string | undefined> {
  if (!providers.list.some(({ logsOut }) => logsOut)) return undefined;
  const identity = await selectIdentity(db, userId);
  if (identity === undefined) return undefined;
  const provider = providers.byId(identity.provider_id);
  if (provider?.logsOut !== true) return undefined;
  const { tokens } = openDetails(secrets, identity.details_encrypted);
  if (tokens === undefined) return undefined;
  try {
    return (await provider.client.logOutUrl(tokens, `${accessUrl()}/login`))?.href;
  } catch (error) {
    if (!(error instanceof LogInError)) throw error;
    logger.warn({ provider: provider.id, error: errorText(error) }, "cannot log out at provider");
    return undefined;
  }
}
