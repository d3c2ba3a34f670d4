import type { Route } from "@slipway/api/contract/route";
import type { UnfinishedBytes } from "@slipway/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { measureRequests, type Metrics } from "../features/deployment/metrics.ts";
import { createAuthenticator } from "../platform/auth/service.ts";
import type { Settings } from "../platform/config/settings.ts";
import { Admissions } from "../platform/http/admission.ts";
import { clientsOfConnections, limitConnections } from "../platform/http/connections.ts";
import { Dashboard } from "../platform/http/dashboard.ts";
import { Draining } from "../platform/http/draining.ts";
import { createHttpServer } from "../platform/http/http-server.ts";
import { InboundTurns } from "../platform/http/inbound-turns.ts";
import { feedRequests } from "../platform/http/request-feed.ts";
import { RequestLimits } from "../platform/http/request-limits.ts";
import { Routes } from "../platform/http/routes.ts";
import { askedUrl } from "../platform/http/same-origin.ts";
import type { Platform } from "../platform/platform.ts";
import { connectionLimits } from "./connection-limits.ts";
import { listen, type Listener } from "./listen.ts";
import { versionHeader } from "./version.ts";

interface HttpNeeds extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly metrics: Pick<Metrics, "httpRequests">;
  readonly unfinished: UnfinishedBytes;
}

/** The listener before it listens, to which features add their routes and pages. */
export interface Site {
  readonly app: FastifyInstance;
  readonly routes: Routes;
  readonly requestLimits: RequestLimits;
  readonly draining: Pick<Draining, "hasBegun">;
  readonly turns: Pick<InboundTurns, "delayMs">;
  readonly settings: Settings;
  /** Undefined if it is off or has not been built. */
  readonly dashboard: Dashboard | undefined;
  /** Known once it listens. */
  readonly accessUrl: () => string;
  /** Returns the URL for what only the sender of a request reads: the access URL, if it is configured. */
  readonly urlFor: (request: Pick<FastifyRequest, "protocol" | "host">) => string;
}

export interface OpenHttp extends Listener, Pick<Routes, "streams"> {
  /** The served routes of the contract. */
  readonly routes: readonly Route[];
  readonly draining: Pick<Draining, "begin">;
}

/** Creates the listener, has `addRoutes` add everything that it serves, and listens. */
export async function openHttp(
  { db, clock, logger, metrics, unfinished }: HttpNeeds,
  settings: Settings,
  addRoutes: (site: Site) => Promise<void>,
): Promise<OpenHttp> {
  let accessUrl = settings.accessUrl ?? "";
  const requestLimits = new RequestLimits(clock);
  const { limits, trustedProxies } = settings;
  const turns = new InboundTurns();
  const app = await createHttpServer(versionHeader, logger, {
    trustedProxies,
    limits: requestLimits,
    unfinished,
    turns,
    accessUrl: () => accessUrl,
  });
  const draining = new Draining();
  const connections = limitConnections(app, connectionLimits(limits), trustedProxies);
  measureRequests(app, metrics);
  const authenticator = createAuthenticator(db, () => accessUrl, limits);
  const routes = new Routes(
    app,
    new Admissions(authenticator, requestLimits, clock),
    logger,
    limits,
  );
  await addRoutes({
    app,
    routes,
    requestLimits,
    draining,
    turns,
    settings,
    dashboard: settings.hasDashboard ? await Dashboard.open() : undefined,
    accessUrl: () => accessUrl,
    urlFor: (request) => settings.accessUrl ?? askedUrl(request, accessUrl),
  });
  feedRequests(app.server, turns, clientsOfConnections(trustedProxies));
  draining.watch(app.server);
  const listener = await listen(app, connections, settings);
  accessUrl = listener.accessUrl;
  return { ...listener, routes: routes.added, streams: routes.streams, draining };
}
