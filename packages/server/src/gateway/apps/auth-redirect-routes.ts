import { redirectToApp } from "@slipway/api/agents/auth-redirect-routes";
import type { FastifyRequest } from "fastify";

import { findBrowserUser } from "../../platform/auth/browser-user.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import {
  type WildcardAccessUrl,
  wildcardHostname,
  wildcardPart,
} from "../../platform/config/wildcard-access-url.ts";
import { type Invalid, invalidField } from "../../platform/errors/errors.ts";
import type { KnownUser } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { parseAppHost } from "./app-address.ts";
import { logInPath } from "./app-login.ts";
import type { LoginCodes } from "./app-tokens.ts";
import { mayOpenApps } from "./app-viewers.ts";
import { loginCodeParameter } from "./request-headers.ts";

interface AuthRedirectNeeds {
  readonly wildcard: WildcardAccessUrl | undefined;
  readonly accessUrl: () => string;
  readonly codes: LoginCodes;
  readonly holders: KeyHolders;
}

/** Adds the route by which a browser gets from the server's session to a login at the host of an app. */
export function addAuthRedirectRoute(routes: Routes, needs: AuthRedirectNeeds): void {
  const { wildcard, accessUrl, codes } = needs;
  routes.anyone(redirectToApp, async ({ query, raw, reply }) => {
    const { redirect_uri: uri, state } = query;
    const target = readTarget(uri, wildcard, accessUrl());
    const user = await findVisitor(needs, raw);
    reply.headers({ "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" });
    if (user === undefined) {
      const parameters = new URLSearchParams({ redirect: raw.url });
      void reply.redirect(`${logInPath}?${parameters.toString()}`, redirectToApp.status);
      return null;
    }
    // Without it the host of the app starts over.
    if (state !== undefined) {
      const session = { userId: user.id, keyId: user.keyId };
      const code = await codes.issue(session, target.origin, state);
      target.searchParams.append(loginCodeParameter, code);
    }
    void reply.redirect(target.href, redirectToApp.status);
    return null;
  });
}

/** Returns the user of the server's own cookie: a client with another credential is not a browser. */
async function findVisitor(
  needs: AuthRedirectNeeds,
  request: FastifyRequest,
): Promise<KnownUser | undefined> {
  const user = await findBrowserUser(needs, request);
  return user !== undefined && mayOpenApps(user) ? user : undefined;
}

/** Reads the address of an app of this deployment; throws `Invalid` for any other, so that no one is led astray. */
function readTarget(uri: string, wildcard: WildcardAccessUrl | undefined, accessUrl: string): URL {
  if (wildcard === undefined) {
    throw refused(
      "this server has no subdomain apps; an administrator can set SLIPWAY_WILDCARD_ACCESS_URL",
    );
  }
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const access = new URL(accessUrl);
  const pattern = wildcardHostname(wildcard, accessUrl);
  const part = url && wildcardPart(wildcard, url.host);
  const isApp = part !== undefined && parseAppHost(part) !== undefined;
  const hasOurOrigin =
    url?.protocol === access.protocol && url.host === pattern.replace("*", part ?? "");
  if (!isApp || !hasOurOrigin || url.username !== "" || url.password !== "") {
    throw refused(`must be the URL of an app, ${access.protocol}//${pattern}/…`);
  }
  url.hash = "";
  return url;
}

function refused(detail: string): Invalid {
  return invalidField("redirect_uri", detail);
}
