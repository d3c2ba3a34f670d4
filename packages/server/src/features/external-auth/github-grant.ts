import { ProviderError } from "../../platform/providers/provider-error.ts";
import type { ProviderFetch } from "../../platform/providers/provider-fetch.ts";

interface GitHubClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Revokes the grant of a user to a client of GitHub, and with it all tokens of the user for that client: GitHub does not
 * support RFC 7009, and revoking one token would leave the refresh token. Rejects with `ProviderError`.
 */
export async function endGitHubGrant(
  grantUrl: string,
  fetch: ProviderFetch,
  { clientId, clientSecret }: GitHubClient,
  accessToken: string,
  signal: AbortSignal,
): Promise<void> {
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
  const { status } = await fetch(grantUrl, {
    method: "DELETE",
    headers: {
      Authorization: `Basic ${credentials}`,
      Accept: "application/vnd.github+json",
      "Content-Type": "application/json",
      "User-Agent": "Slipway",
      "X-GitHub-Api-Version": "2022-11-28",
    },
    body: JSON.stringify({ access_token: accessToken }),
    signal,
  });
  if (status === 204) return;
  const code = status >= 500 ? "unreachable" : "refused";
  throw new ProviderError(code, `it answered with status ${status}`);
}
