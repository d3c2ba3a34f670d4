import { hostname } from "node:os";

import type { StunListener } from "@slipway/relay";
import { type Logger, Scope } from "@slipway/runtime";

import { readRelayMap } from "../features/agents/manifest/derp-map.ts";
import { WorkspaceTurns } from "../features/builds/workspace-turns.ts";
import { runCleanup } from "../features/cleanup/service.ts";
import { runLogInChecks } from "../features/logins/check-service.ts";
import { announceWorker } from "../features/organizations/worker-service.ts";
import { defaultReconciler, runReconciler } from "../features/prebuilds/reconcile/reconciler.ts";
import { RemoteParameters } from "../features/provisioners/remote-parameters.ts";
import type { Provisioners } from "../features/provisioners/session-service.ts";
import { runSchedules } from "../features/schedules/scheduler.ts";
import { ParameterReader } from "../features/templates/parameter-service.ts";
import { AgentHttp } from "../gateway/agent-http/agent-http.ts";
import { RunAudit } from "../gateway/runs/run-audit.ts";
import { PasswordAttempts } from "../platform/auth/password-attempts.ts";
import { guardStreams } from "../platform/auth/stream-guard.ts";
import type { Settings } from "../platform/config/settings.ts";
import { cutOffUnfinished } from "./connection-limits.ts";
import { isAnyAddress } from "./listen.ts";
import { type OpenHttp, openHttp } from "./open-http.ts";
import type { ServerParts } from "./open-parts.ts";
import { runJobs } from "./run-jobs.ts";
import { buildVersion } from "./version.ts";
import { wireAgents } from "./wire-agents.ts";
import { type Apps, wireApps } from "./wire-apps.ts";
import { wireDeployment } from "./wire-deployment.ts";
import { wireDownloads } from "./wire-downloads.ts";
import { wireExternalAuth } from "./wire-external-auth.ts";
import { createLogIns, wireLogIns } from "./wire-logins.ts";
import { wireMcp } from "./wire-mcp.ts";
import { createOwnPeer, wireNetwork } from "./wire-network.ts";
import { wireOauthServer } from "./wire-oauth-server.ts";
import { wireProvisioners } from "./wire-provisioners.ts";
import { openMesh, openStun, wireRelay } from "./wire-relay.ts";
import { wireUsers } from "./wire-users.ts";
import { wireWorkspaces } from "./wire-workspaces.ts";

/** The parts of a server that listens. */
export interface ServingParts {
  readonly http: OpenHttp;
  /** The work in the background; closed before everything else. */
  readonly work: Scope;
}

/** Listens, answers, and works in the background; hands what it opens to `opened`. */
export async function serve(
  parts: ServerParts,
  opened: AsyncDisposableStack,
): Promise<ServingParts> {
  const { settings, platform, relay, downloads, metrics } = parts;
  const { clock, logger } = platform;
  const work = new Scope();
  const turns = new WorkspaceTurns();
  const site = await openSite(parts, opened, work, turns);
  const { http } = site;
  opened.use(http);
  parts.docker?.useListener(http);
  parts.clusters?.useListener(http);
  warnOfUnknownUrl(settings, http.accessUrl, logger);
  // Requests for apps, sessions of provisioners and parameters of forms end before the listener closes.
  opened.use(site.apps);
  opened.use(site.parameters);
  opened.use(site.provisioners);
  // Clients are notified before the listener closes.
  opened.defer(() => relay.close());
  opened.defer(() => downloads.store.stop());
  site.useStun(opened.use(await openStun(settings.stun, http.port, { clock, logger })));
  const mesh = await openMesh({ relay, listenPort: http.port }, settings, {
    ...platform,
    registry: metrics.registry,
  });
  opened.use(work);
  work.run((stop) => mesh.run(stop));
  runInBackground(parts, http, work, turns);
  return { http, work };
}

interface OpenSite {
  readonly http: OpenHttp;
  readonly apps: Apps | undefined;
  readonly provisioners: Provisioners | undefined;
  readonly parameters: ParameterReader | undefined;
  /** Announces the listener to agents and clients. */
  readonly useStun: (stun: StunListener | undefined) => void;
}

/** Opens the listener with all routes. */
async function openSite(
  parts: ServerParts,
  opened: AsyncDisposableStack,
  work: Scope,
  turns: WorkspaceTurns,
): Promise<OpenSite> {
  const { platform, localHints, secrets, drivers, downloads, metrics, relay } = parts;
  const { heartbeats, coordinator, notes, unfinished, monitor, metadata, externalAuth } = parts;
  const { clock } = platform;
  const { registry, claimSeconds, endedJobs, stageSeconds } = metrics;
  let stun: StunListener | undefined;
  let apps: Apps | undefined;
  let provisioners: Provisioners | undefined;
  let parameters: ParameterReader | undefined;
  const http = await openHttp(
    { ...platform, metrics, unfinished },
    parts.settings,
    async (site) => {
      await wireDeployment(site, platform, { registry, downloads });
      wireDownloads(site, downloads);
      const { providers, ...logIns } = createLogIns(site, platform, secrets);
      const attempts = new PasswordAttempts(platform.clock);
      wireUsers(site, platform, { secrets, notes, attempts, ...logIns });
      wireLogIns(site, platform, { providers, secrets, notes, attempts, registry });
      work.run((stop) => runLogInChecks({ ...platform, secrets, providers }, stop));
      wireOauthServer(site, platform, { secrets, notes });
      wireExternalAuth(site, externalAuth);
      const claims = { localHints, secrets, drivers, claimSeconds };
      parameters = new ParameterReader({
        ...platform,
        secrets,
        drivers,
        accessUrl: site.accessUrl,
        unpackDir: parts.directory.unpackDir,
        provisioners: new RemoteParameters(platform),
      });
      wireWorkspaces(site, platform, { ...claims, externalAuth, parameters });
      const readDerpMap = readRelayMap(site.accessUrl, () => stun?.port);
      wireAgents(site, platform, {
        secrets,
        notes,
        metadata,
        monitor,
        metrics,
        readDerpMap,
        coordinator,
        unfinished,
        hasDownloads: downloads.areOffered,
        externalAuth,
        provePod: parts.clusters?.provePod,
      });
      const networkParts = { coordinator, readDerpMap };
      const reach = opened.use(createOwnPeer(platform, { ...networkParts, relay, registry }));
      const agents = opened.use(new AgentHttp({ reach, clock }));
      const routeParts = {
        ...networkParts,
        secrets,
        absent: parts.peers,
        unfinished,
        reach,
        agents,
        notes,
        runAudit: opened.use(new RunAudit(platform)),
      };
      const access = wireNetwork(site, platform, routeParts);
      work.run((stop) => access.run(stop));
      const running = wireApps(site, platform, { secrets, reach, registry });
      work.run((stop) => running.run(stop));
      apps = running;
      const jobs = { heartbeats, endedJobs, stageSeconds, turns };
      provisioners = wireProvisioners(site, platform, { ...jobs, secrets, drivers });
      wireMcp(site, platform);
      wireRelay(site, { relay, clock });
    },
  );
  return { http, apps, provisioners, parameters, useStun: (listener) => void (stun = listener) };
}

function runInBackground(
  parts: ServerParts,
  http: OpenHttp,
  work: Scope,
  turns: WorkspaceTurns,
): void {
  const { settings, directory, platform, secrets, drivers, downloads, metrics, unfinished } = parts;
  const { db, clock } = platform;
  const { replicaId } = directory;
  const { limits } = settings;
  const { endedJobs, stageSeconds, reconciliationSeconds } = metrics;
  work.run((stop) => cutOffUnfinished(unfinished, clock, stop));
  work.run((stop) =>
    runJobs(
      {
        db,
        secrets,
        drivers,
        accessUrl: http.accessUrl,
        unpackDir: directory.unpackDir,
        turns,
        clock,
        stageSeconds,
      },
      { ...platform, heartbeats: parts.heartbeats, workerId: replicaId, endedJobs },
      stop,
    ),
  );
  work.run((stop) => runSchedules({ ...platform, limits }, stop));
  work.run((stop) =>
    runReconciler({ ...platform, reconciliationSeconds }, defaultReconciler, stop),
  );
  work.run((stop) => downloads.run(stop));
  work.run((stop) => runCleanup(platform, limits, stop));
  const worker = {
    id: replicaId,
    name: hostname(),
    version: buildVersion,
    // A daemon that containers need may come and go.
    get drivers() {
      return [...drivers.values()]
        .filter((one) => one.refusal === undefined)
        .map(({ name }) => name);
    },
  };
  work.run((stop) => announceWorker(platform, worker, stop));
  work.run((stop) => guardStreams({ ...platform, limits }, http.streams, stop));
}

/** Warns if other machines reach the server: it cannot know at which address. */
function warnOfUnknownUrl({ listen, accessUrl }: Settings, url: string, logger: Logger): void {
  if (accessUrl !== undefined || !isAnyAddress(listen.host)) return;
  logger.warn(
    { address: listen.host, url },
    "SLIPWAY_ACCESS_URL is not set: agents, apps and links use a URL that only this machine reaches; set it to the one that others use",
  );
}
