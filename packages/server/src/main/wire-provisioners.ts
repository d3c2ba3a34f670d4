import type { MeasuredBuildNeeds } from "../features/builds/driver-build.ts";
import { addKeyRoutes } from "../features/provisioners/key-routes.ts";
import { addSessionRoute } from "../features/provisioners/session-route.ts";
import { Provisioners } from "../features/provisioners/session-service.ts";
import type { HeartbeatConnection } from "../platform/db/heartbeat-connection.ts";
import type { JobCount } from "../platform/jobs/worker.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";
import { remoteHandlers } from "./run-jobs.ts";

interface ProvisionerParts extends Pick<
  MeasuredBuildNeeds,
  "secrets" | "drivers" | "turns" | "stageSeconds"
> {
  readonly heartbeats: Pick<HeartbeatConnection, "run">;
  readonly endedJobs: JobCount;
}

/** Adds the routes for provisioners and their keys; returns the sessions, which end before the listener closes. */
export function wireProvisioners(
  { routes, accessUrl }: Site,
  platform: Platform,
  { heartbeats, endedJobs, ...parts }: ProvisionerParts,
): Provisioners {
  const { db, clock } = platform;
  addKeyRoutes(routes, platform);
  const sessions = new Provisioners({
    ...platform,
    secrets: parts.secrets,
    accessUrl,
    heartbeats,
    endedJobs,
    // The provisioner unpacks templates itself.
    handlers: (calls) =>
      remoteHandlers({ db, clock, ...parts, accessUrl: accessUrl(), unpackDir: undefined }, calls),
  });
  addSessionRoute(routes, { db, sessions });
  return sessions;
}
