import { getKey, getTokenByName } from "@slipway/api/users/key-routes";
import type { ApiKey } from "@slipway/api/users/token";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { notFoundError } from "../../command/not-found.ts";

/** Finds a token by name or id. Throws `CommandError` when there is none. */
export async function findToken(
  client: ApiClient,
  reference: string,
  signal: AbortSignal,
): Promise<ApiKey> {
  const user = "me";
  const found =
    (await orUndefined(
      client.call(getTokenByName, { params: { user, name: reference }, signal }),
    )) ?? (await orUndefined(client.call(getKey, { params: { user, key: reference }, signal })));
  if (found !== undefined) return found;
  const hint = "list your tokens with: slipway tokens list --include-expired";
  throw notFoundError(`token ${reference}`, hint);
}

async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
