import type { ApiClient } from "@slipway/sdk/http";

/** Returns the page of the server at which a user logs in to a provider. */
export function externalAuthUrl({ serverUrl }: Pick<ApiClient, "serverUrl">, id: string): string {
  return `${serverUrl}/external-auth/${encodeURIComponent(id)}`;
}
