import { capabilitiesOf, type DriverBuild, DriverError, type DriverResult } from "@slipway/drivers";

import { insertRows } from "../../platform/db/insert-rows.ts";
import { failedOutcome, type JobOutcome } from "../../platform/jobs/job-outcome.ts";
import { JobCanceled, type JobHandler, JobUnfinished } from "../../platform/jobs/worker.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { dropAgents, restoreAgents } from "../agents/build-service.ts";
import { writeDeletedNotice } from "../notifications/dormancy-service.ts";
import { type BuildContext, selectBuildContext } from "./build-context.ts";
import { updateDeadline, updateStarted } from "./deadline-service.ts";
import {
  type BuildNeeds,
  type MeasuredBuildNeeds,
  driverLog,
  readDriverBuild,
  requireDriver,
  runDriver,
  type RunningBuild,
} from "./driver-build.ts";
import { selectDriverState, stateColumns, updateDriverState } from "./driver-state.ts";
import { markWorkspaceDeleted } from "./queries.ts";
import { StageTimings } from "./stage-timings.ts";
import { prepareAgents, startedRows } from "./start-agents.ts";
import { claimStage, findPredecessor, type Predecessor, takeOver } from "./take-over.ts";

const stages = {
  start: "Starting workspace",
  stop: "Stopping workspace",
  delete: "Destroying workspace",
} as const;

/**
 * Carries out a build by its driver. Idempotent: the agents of a start are created once, before the driver is called.
 */
export function buildHandler(needs: MeasuredBuildNeeds): JobHandler {
  return async (job, log, signal, lease) => {
    const context = await selectBuildContext(needs.db, job.id);
    if (context === undefined) return failedOutcome("the job has no build");
    log.stage("Setting up");
    const driver = requireDriver(needs.drivers, context.definition.driver);
    const timings = new StageTimings(needs.clock);
    const work = { context, driver, log, timings, signal, lease };
    const outcome = await carryOut(needs, work, job.attempt);
    return {
      ...outcome,
      commit: async (trx) => {
        await outcome.commit(trx);
        await timings.insert(trx, job.id);
      },
      whenUnstorable: (error) => failure(context, error),
    };
  };
}

async function carryOut(
  needs: MeasuredBuildNeeds,
  work: RunningBuild,
  attempt: number,
): Promise<JobOutcome> {
  const { context, driver, log, signal } = work;
  const found = await findPredecessor(needs.db, context);
  try {
    return await needs.turns.run(context.workspace_id, signal, () =>
      found?.fate === "continues" ? claim(needs, work, found) : runBuild(needs, work, found),
    );
  } catch (error) {
    if (error instanceof JobUnfinished) throw error;
    if (signal.reason instanceof JobCanceled) {
      // An earlier attempt may have left a program, which must not change the workspace after the job has ended.
      if (attempt > 1)
        await driver.settle?.(await readDriverBuild(needs, work), driverLog(needs, work));
      log.write("warn", "the build was canceled");
      return failure(context, signal.reason.message);
    }
    if (!(error instanceof DriverError)) throw error;
    log.write("error", error.message);
    return failure(context, error.message);
  }
}

/** Lets the processes of a claimed prebuild continue for their new owner. */
async function claim(
  needs: MeasuredBuildNeeds,
  work: RunningBuild,
  predecessor: Predecessor,
): Promise<JobOutcome> {
  const { context, driver, log, signal } = work;
  const build = await readDriverBuild(needs, work, predecessor.buildId);
  log.stage(claimStage);
  const task = { work: "claim", build, fileId: context.file_id } as const;
  const result = await runDriver(needs, driver, task, driverLog(needs, work), signal);
  log.stage("Cleaning up");
  return takenOver(needs, context, predecessor, result);
}

/** Runs the driver. `replaced` is a build that still runs for another owner; it is shut down first. */
async function runBuild(
  needs: MeasuredBuildNeeds,
  work: RunningBuild,
  replaced: Predecessor | undefined,
): Promise<JobOutcome> {
  const { context, driver, log, signal } = work;
  if (replaced !== undefined) await cleanUpAfter(needs, work, replaced);
  const preparesAgents = !capabilitiesOf(driver.name).readsTemplates;
  if (context.transition === "start" && preparesAgents) {
    await prepareAgents(needs, work, replaced?.buildId);
  }
  const build = await readDriverBuild(needs, work);
  log.stage(stages[build.transition]);
  const task = { work: build.transition, build, fileId: context.file_id };
  const result = await runDriver(needs, driver, task, driverLog(needs, work), signal);
  log.stage("Cleaning up");
  return success(needs, context, result ?? { state: undefined, resources: [] });
}

/** Makes the driver of the replaced build remove what it started, if another driver is about to start the workspace. */
async function cleanUpAfter(
  needs: MeasuredBuildNeeds,
  work: RunningBuild,
  { buildId, driver }: Predecessor,
): Promise<void> {
  const { context, log, signal } = work;
  if (driver === context.definition.driver) return;
  const { workspace_id: workspaceId, build_number: upTo } = context;
  const { db, secrets } = needs;
  const build: DriverBuild = {
    ...(await readDriverBuild(needs, work, buildId)),
    transition: "delete",
    readState: () => selectDriverState(db, secrets, { workspaceId, upTo, driver }),
  };
  log.stage(stages.delete);
  const previous = requireDriver(needs.drivers, driver);
  await previous.delete(build, driverLog(needs, work), signal);
}

function success(
  { secrets }: Pick<BuildNeeds, "secrets">,
  context: BuildContext,
  result: DriverResult,
): JobOutcome {
  const { transition, reason, owner_id: ownerId, workspace_name: name } = context;
  // The owner is told when a workspace is deleted because it was dormant for too long.
  const notifiesOwner = transition === "delete" && reason === "dormancy";
  return {
    error: undefined,
    topics: [
      topics.builds(context.workspace_id),
      topics.workspace(context.workspace_id),
      ...(notifiesOwner ? [topics.inbox(ownerId)] : []),
    ],
    commit: async (trx) => {
      const { state, resources, agents } = result;
      const columns = stateColumns(secrets, context.definition.driver, state);
      await (transition === "start"
        ? updateStarted(trx, context.id, columns)
        : updateDriverState(trx, context.id, columns));
      if (agents !== undefined) {
        await insertRows(trx, await startedRows(trx, secrets, context, { resources, agents }));
      }
      if (transition === "delete") await markWorkspaceDeleted(trx, context.workspace_id);
      if (notifiesOwner) await writeDeletedNotice(trx, { ownerId, id: context.workspace_id, name });
    },
  };
}

/** Records the new owner of the processes. A driver that had nothing to do leaves the resources as they were. */
function takenOver(
  { secrets }: BuildNeeds,
  context: BuildContext,
  predecessor: Predecessor,
  result: DriverResult | undefined,
): JobOutcome {
  const { workspace_id: workspaceId } = context;
  const resources = result?.resources ?? predecessor.resources;
  return {
    error: undefined,
    topics: [topics.builds(workspaceId), topics.workspace(workspaceId), topics.claim(workspaceId)],
    commit: async (trx) => {
      if (result !== undefined) {
        const columns = stateColumns(secrets, context.definition.driver, result.state);
        await updateDriverState(trx, context.id, columns);
      }
      const claimed = { ...predecessor, resources, agents: result?.agents };
      const rows = await takeOver(trx, secrets, context, claimed);
      await insertRows(trx, rows);
      await updateDeadline(trx, context.id);
    },
  };
}

function failure(context: BuildContext, error: string): JobOutcome {
  return {
    error,
    topics: [topics.builds(context.workspace_id), topics.workspace(context.workspace_id)],
    commit: async (trx) => {
      if (context.transition !== "start") return;
      await dropAgents(trx, context.id);
      await restoreAgents(trx, context.id);
    },
  };
}
