import { errorText, whenAborted } from "@slipway/runtime";

import { buildHandler } from "../features/builds/build-job.ts";
import type { BuildNeeds } from "../features/builds/driver-build.ts";
import { restoreWorkspaces } from "../features/builds/restore.ts";
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
 * Restores the workspaces of this machine, then carries out builds and imports until the end, in this order, so that no
 * workspace is started while a build stops it.
 */
export async function runJobs(
  needs: BuildNeeds,
  options: WorkerNeeds,
  signal: AbortSignal,
): Promise<void> {
  const { logger, workerId } = options;
  try {
    await restoreWorkspaces(needs, workerId, logger, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.error({ error: errorText(error) }, "cannot restore the workspaces of this machine");
  }
  const worker = new JobWorker({
    ...options,
    handlers: {
      template_version_import: importHandler(needs.db, needs.drivers),
      template_version_dry_run: dryRunHandler(needs.db, needs.drivers),
      workspace_build: buildHandler(needs),
    },
  });
  await whenAborted(signal);
  await worker[Symbol.asyncDispose]();
}
