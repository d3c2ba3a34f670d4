import type { JobType } from "@slipway/api/jobs/job";
import { type Driver, driversWith, refuseAborted } from "@slipway/drivers";
import { errorText, Scope, whenAborted } from "@slipway/runtime";

import { buildHandler } from "../features/builds/build-job.ts";
import type { MeasuredBuildNeeds } from "../features/builds/driver-build.ts";
import { restoreWorkspaces } from "../features/builds/restore.ts";
import { watchDrivers } from "../features/builds/watch-drivers.ts";
import type { Metrics } from "../features/deployment/metrics.ts";
import { loadFile } from "../features/files/service.ts";
import type { RemoteCalls } from "../features/provisioners/remote-calls.ts";
import { RemoteDriver } from "../features/provisioners/remote-driver.ts";
import { dryRunHandler } from "../features/templates/dry-run-job.ts";
import { importHandler } from "../features/templates/import-job.ts";
import type { HeartbeatConnection } from "../platform/db/heartbeat-connection.ts";
import { type JobHandler, JobWorker } from "../platform/jobs/worker.ts";
import type { Platform } from "../platform/platform.ts";

interface WorkerNeeds extends Platform {
  readonly heartbeats: Pick<HeartbeatConnection, "run">;
  readonly workerId: string;
  readonly endedJobs: Metrics["endedJobs"];
}

/**
 * Restores the workspaces of this machine, then carries out builds and imports until the end. Drivers whose
 * infrastructure may come later are watched meanwhile, which restores theirs.
 */
export async function runJobs(
  needs: MeasuredBuildNeeds,
  options: WorkerNeeds,
  signal: AbortSignal,
): Promise<void> {
  const { logger, workerId } = options;
  const unwatched = driversWith("needsRestore").filter(
    (name) => needs.drivers.get(name)?.watch === undefined,
  );
  try {
    await restoreWorkspaces(needs, { workerId, drivers: unwatched, logger }, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.error({ error: errorText(error) }, "cannot restore the workspaces of this machine");
  }
  const worker = new JobWorker({
    ...options,
    handlers: jobHandlers(needs),
  });
  await using watches = new Scope(signal);
  watches.run((stop) => watchDrivers(needs, options, stop));
  await whenAborted(signal);
  await worker[Symbol.asyncDispose]();
}

/** Returns the handlers of jobs on this server. */
function jobHandlers(needs: MeasuredBuildNeeds): AllHandlers {
  return {
    template_version_import: importHandler(needs),
    template_version_dry_run: dryRunHandler(needs),
    workspace_build: buildHandler(needs),
  };
}

type AllHandlers = Readonly<Record<JobType, JobHandler>>;

/** Returns the handlers of jobs whose driver runs on a provisioner. */
export function remoteHandlers(needs: MeasuredBuildNeeds, calls: RemoteCalls): AllHandlers {
  const handler =
    (type: JobType): JobHandler =>
    (job, log, signal, lease) => {
      const driver = new RemoteDriver({
        calls,
        id: job.id,
        readArchive: () => loadFile(needs.db, job.file_id),
        room: () => log.room(),
      });
      const drivers = driversWithRemote(needs.drivers, refuseAborted(driver));
      return jobHandlers({ ...needs, drivers })[type](job, log, signal, lease);
    };
  return {
    template_version_import: handler("template_version_import"),
    template_version_dry_run: handler("template_version_dry_run"),
    workspace_build: handler("workspace_build"),
  };
}

/** Returns the drivers for a job with tags: others than the remote one only remove what they made before. */
function driversWithRemote(
  drivers: ReadonlyMap<string, Driver>,
  remote: Driver,
): ReadonlyMap<string, Driver> {
  const refusal = "runs on servers only: push the template without provisioner tags";
  const others = [...drivers.values()].map(
    (driver) => [driver.name, { ...driver, refusal }] as const,
  );
  return new Map([...others, [remote.name, remote]]);
}
