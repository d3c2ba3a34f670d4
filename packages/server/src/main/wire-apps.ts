import type { Registry } from "prom-client";

import { AppConnections } from "../gateway/apps/app-connections.ts";
import { AppForwarder } from "../gateway/apps/app-forwarder.ts";
import { AppGrants } from "../gateway/apps/app-grants.ts";
import { AppLogin } from "../gateway/apps/app-login.ts";
import { addAppMetrics } from "../gateway/apps/app-metrics.ts";
import { AppProxy } from "../gateway/apps/app-proxy.ts";
import { LoginCodes } from "../gateway/apps/app-tokens.ts";
import { AppViewers } from "../gateway/apps/app-viewers.ts";
import { addAuthRedirectRoute } from "../gateway/apps/auth-redirect-routes.ts";
import { OpenApps } from "../gateway/apps/open-apps.ts";
import type { AgentReach } from "../network/own-peer/own-peer.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { createKeyHolders } from "../platform/auth/service.ts";
import { divertRequests } from "../platform/http/divert-requests.ts";
import { clientViews } from "../platform/http/request-origin.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

interface AppParts {
  readonly secrets: SecretBox;
  readonly reach: AgentReach;
  readonly registry: Registry;
}

/** The apps of workspaces, as this server opens them. Its creator runs it, and closes it before the listener. */
export interface Apps extends Disposable {
  /** Ends connections that their viewers may no longer have, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

/** Takes requests for apps from the listener, before the API and its pages see them. */
export function wireApps(
  { app, routes, settings, accessUrl }: Site,
  platform: Platform,
  { secrets, reach, registry }: AppParts,
): Apps {
  const { db, pubsub, clock } = platform;
  const logger = platform.logger.child({ part: "apps" });
  const { limits, pathApps, wildcardAccessUrl: wildcard } = settings;
  const holders = createKeyHolders(db, limits);
  const codes = new LoginCodes(secrets, clock);
  const viewers = new AppViewers({ secrets, clock, holders });
  const connections = new AppConnections({ reach, clock });
  const open = new OpenApps({ pubsub, clock, logger, limits });
  const metrics = addAppMetrics(registry, {
    open: () => open.size,
    unused: () => connections.unused,
  });
  const proxy = new AppProxy({
    site: { wildcard, pathApps, accessUrl },
    readClientView: clientViews(settings.trustedProxies),
    grants: new AppGrants({ db, clock, secrets, viewers, pathApps }),
    login: new AppLogin({ viewers, codes, holders, accessUrl }),
    forwarder: new AppForwarder({
      connections,
      clock,
      metrics,
      timeoutMs: limits.maxAppAnswerSeconds * 1000,
      isSandboxed: pathApps === "sandbox",
    }),
    open,
    metrics,
    clock,
    logger,
  });
  addAuthRedirectRoute(routes, { wildcard, accessUrl, codes, holders });
  divertRequests(app.server, (request) => proxy.divert(request));
  return {
    run: (signal) => open.run(signal),
    [Symbol.dispose]: () => {
      open.endAll();
      connections[Symbol.dispose]();
    },
  };
}
