import { driversWith } from "@slipway/drivers";
import { errorText, Scope, whenAborted } from "@slipway/runtime";

import { buildHandler } from "../features/builds/build-job.ts";
import type { MeasuredBuildNeeds } from "../features/builds/driver-build.ts";
import { restoreWorkspaces } from "../features/builds/restore.ts";
import { watchDrivers } from "../features/builds/watch-drivers.ts";
import type { Metrics } from "../features/deployment/metrics.ts";
import { dryRunHandler } from "../features/templates/dry-run-job.ts";
import { importHandler } from "../features/templates/import-job.ts";
import { JobWorker } from "../platform/jobs/worker.ts";
import type { Platform } from "../platform/platform.ts";

interface WorkerNeeds extends Platform {
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
    handlers: {
      template_version_import: importHandler(needs),
      template_version_dry_run: dryRunHandler(needs),
      workspace_build: buildHandler(needs),
    },
  });
  await using watches = new Scope(signal);
  watches.run((stop) => watchDrivers(needs, options, stop));
  await whenAborted(signal);
  await worker[Symbol.asyncDispose]();
}
