import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type {
  ExternalAuthLink,
  ExternalAuthList,
  ExternalAuthState,
} from "@slipway/api/external-auth/external-auth";
import {
  createExternalAuthDevice,
  deleteExternalAuth,
  getExternalAuth,
  listExternalAuth,
  redeemExternalAuthDevice,
} from "@slipway/api/external-auth/routes";

import { watchClient } from "../../platform/http/client-disconnect.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { beginDevice, type DeviceNeeds, redeemDevice } from "./device-service.ts";
import type { Provider } from "./provider.ts";
import { type LinkRow, selectLinks } from "./queries.ts";
import {
  type ExternalAuthNeeds,
  providerFailed,
  removeLink,
  requireProvider,
  usableToken,
  type UsableToken,
} from "./service.ts";
import type { ProviderUser } from "./token-check.ts";

/** Adds the routes for a user's links to external providers. */
export function addExternalAuthRoutes(routes: Routes, needs: DeviceNeeds): void {
  const { providers } = needs;
  routes.user(listExternalAuth, async ({ raw }, user) => {
    using client = watchClient(raw);
    return await listProviders(needs, user.id, client.signal);
  });
  routes.user(getExternalAuth, async ({ params, raw }, user) => {
    const provider = requireProvider(providers, params.provider);
    using client = watchClient(raw);
    return await readState(needs, user.id, provider, client.signal);
  });
  routes.user(deleteExternalAuth, async ({ params, raw }, user) => {
    using client = watchClient(raw);
    return await removeLink(needs, user, params.provider, client.signal);
  });
  routes.user(createExternalAuthDevice, async ({ params, raw }, user) => {
    const provider = requireProvider(providers, params.provider);
    using client = watchClient(raw);
    return await beginDevice(needs, user.id, provider, client.signal);
  });
  routes.user(redeemExternalAuthDevice, async ({ params, body, raw }, user) => {
    const provider = requireProvider(providers, params.provider);
    const { device_code: deviceCode } = body;
    using client = watchClient(raw);
    await redeemDevice(needs, user, provider, { deviceCode, signal: client.signal });
    return null;
  });
}

/** Lists the providers, and the user's links to them with the state of each at the provider. */
async function listProviders(
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
async function readState(
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
