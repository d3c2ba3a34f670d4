import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type {
  ExternalAuthLink,
  ExternalAuthList,
  ExternalAuthState,
} from "@slipway/api/external-auth/external-auth";

import type { Provider } from "./provider.ts";
import { type LinkRow, selectLinks } from "./queries.ts";
import {
  type ExternalAuthNeeds,
  providerFailed,
  type UsableToken,
  usableToken,
} from "./service.ts";
import type { ProviderUser } from "./token-check.ts";

/** Lists the providers, and the user's links to them with the state of each at the provider. */
export async function listProviders(
  needs: ExternalAuthNeeds,
  userId: string,
  signal: AbortSignal,
): Promise<ExternalAuthList> {
  const { db, providers } = needs;
  const links = await selectLinks(db, userId);
  const known = links.flatMap((link) => {
    const provider = providers.byId(link.provider_id);
    return provider === undefined ? [] : [{ link, provider }];
  });
  return {
    providers: providers.list.map(providerJson),
    links: await Promise.all(
      known.map(async ({ link, provider }) =>
        linkJson(link, await usableToken(needs, userId, provider, signal)),
      ),
    ),
  };
}

function providerJson(provider: Provider): ExternalAuthList["providers"][number] {
  return {
    id: provider.id,
    type: provider.type,
    device: provider.deviceCodeUrl !== undefined,
    display_name: provider.displayName,
    display_icon: provider.displayIcon,
    allow_refresh: provider.mayRefresh,
    allow_validate: provider.validateUrl !== undefined,
    supports_revocation: provider.revokeUrl !== undefined,
    code_challenge_methods_supported: ["S256"],
  };
}

function linkJson(link: LinkRow, token: UsableToken): ExternalAuthLink {
  return {
    provider_id: link.provider_id,
    created_at: link.created_at,
    updated_at: link.updated_at,
    has_refresh_token: link.has_refresh_token,
    expires: link.expires_at ?? zeroTimestamp,
    authenticated: token.type === "valid",
    validate_error: token.type === "valid" ? "" : token.reason,
  };
}

/** Reads the state of a user's link to one provider. */
export async function readState(
  needs: ExternalAuthNeeds,
  userId: string,
  provider: Provider,
  signal: AbortSignal,
): Promise<ExternalAuthState> {
  const token = await usableToken(needs, userId, provider, signal);
  if (token.type === "unknown") throw providerFailed(provider, token.reason);
  return {
    authenticated: token.type === "valid",
    device: provider.deviceCodeUrl !== undefined,
    display_name: provider.displayName,
    supports_revocation: provider.revokeUrl !== undefined,
    user: token.type === "valid" ? userJson(token.user) : null,
    app_installable: false,
    installations: [],
    app_install_url: "",
  };
}

function userJson(user: ProviderUser | undefined): ExternalAuthState["user"] {
  if (user === undefined) return null;
  const { id, login, name, avatarUrl, profileUrl } = user;
  return { id, login, name, avatar_url: avatarUrl, profile_url: profileUrl };
}
