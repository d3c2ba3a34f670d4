import {
  capabilitiesOf,
  defaultDriverLimits,
  type Driver,
  type DriverAgent,
  type DriverBuild,
  DriverError,
  type DriverLog,
  type DriverResult,
} from "@slipway/drivers";
import type { Transaction } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { insertRows, type NewRows } from "../../platform/db/insert-rows.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { JobCanceled } from "../../platform/jobs/errors.ts";
import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import type { JobHandler, JobOutcome } from "../../platform/jobs/worker.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import {
  dropAgents,
  endAgents,
  type LeftProcess,
  readDriverAgents,
  readRunningAgents,
  restoreAgents,
  endRestingAgents,
} from "../agents/build-service.ts";
import { writeDeletedNotice } from "../notifications/dormancy-service.ts";
import { renderAgents } from "./build-context.ts";
import {
  type BuildContext,
  markWorkspaceDeleted,
  selectBuildContext,
  selectDriverState,
  selectLastStart,
  updateDriverState,
} from "./context-queries.ts";
import { updateDeadline, updateStarted } from "./deadline-queries.ts";
import { resourceRows } from "./resource-rows.ts";
import { findPredecessor, type Predecessor, takeOver } from "./take-over.ts";

export interface BuildNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly accessUrl: string;
}

const stages = {
  start: "Starting workspace",
  stop: "Stopping workspace",
  delete: "Destroying workspace",
} as const;

/** The heading of a claim's log. */
export const claimStage = "Handing over workspace";

/**
 * Carries out a build by its driver. Idempotent: the agents of a start are created once, before the driver is called.
 */
export function buildHandler(needs: BuildNeeds): JobHandler {
  return async (job, log, signal) => {
    const context = await selectBuildContext(needs.db, job.id);
    if (context === undefined)
      return { error: "the job has no build", commit: async () => {}, topics: [] };
    log.stage("Setting up");
    const driver = requireDriver(needs.drivers, context.definition.driver);
    const found = await findPredecessor(needs.db, context);
    try {
      const work = { context, driver, log, signal };
      return found?.what === "take-over"
        ? await handOver(needs, work, found.predecessor)
        : await runBuild(needs, work, found?.predecessor);
    } catch (error) {
      if (signal.reason instanceof JobCanceled) {
        log.write("warn", "the build was canceled");
        return failure(context, signal.reason.message);
      }
      if (!(error instanceof DriverError)) throw error;
      log.write("error", error.message);
      return failure(context, error.message);
    }
  };
}

/** A build in progress. */
interface Work {
  readonly context: BuildContext;
  readonly driver: Driver;
  readonly log: JobLogWriter;
  readonly signal: AbortSignal;
}

async function handOver(
  needs: BuildNeeds,
  { context, driver, log, signal }: Work,
  predecessor: Predecessor,
): Promise<JobOutcome> {
  const build = await readDriverBuild(needs, context, predecessor.buildId);
  log.stage(claimStage);
  const result = await driver.claim?.(build, driverLog(log), signal);
  log.stage("Cleaning Up");
  return claimed(needs, context, predecessor, result);
}

/** Runs the driver. `replaced` is the build still running for another owner; it is shut down first. */
async function runBuild(
  needs: BuildNeeds,
  work: Work,
  replaced: Predecessor | undefined,
): Promise<JobOutcome> {
  const { context, driver, log, signal } = work;
  if (replaced !== undefined) await leaveDriver(needs, work, replaced);
  if (context.transition === "start") await prepareAgents(needs, work, replaced);
  const build = await readDriverBuild(needs, context);
  log.stage(stages[build.transition]);
  const result = await driver[build.transition](build, driverLog(log), signal);
  log.stage("Cleaning Up");
  return success(context, result);
}

export function requireDriver(drivers: ReadonlyMap<string, Driver>, name: string): Driver {
  const driver = drivers.get(name);
  if (driver !== undefined) return driver;
  const known = [...drivers.keys()].join(", ");
  throw new DriverError("invalid-template", `this server has no driver ${name}; it has: ${known}`);
}

/**
 * Reads the build as its driver gets it: with the agents of a start, or the running ones, and their tokens in clear
 * text. `runningId` is the build whose agents are running, if known.
 */
export async function readDriverBuild(
  needs: BuildNeeds,
  context: BuildContext,
  runningId?: string,
): Promise<DriverBuild> {
  const { db } = needs;
  const { workspace_id: workspaceId, build_number: before } = context;
  const { driver } = context.definition;
  // The first build has no state from one before it.
  const isFirst = before === 1;
  const [agents, state] = await Promise.all([
    readAgents(needs, context, runningId),
    context.driver_state ??
      (isFirst ? undefined : selectDriverState(db, { workspaceId, before, driver })),
  ]);
  return {
    id: context.id,
    number: context.build_number,
    transition: context.transition,
    workspace: {
      id: context.workspace_id,
      name: context.workspace_name,
      owner: { id: context.owner_id, username: context.owner_username },
    },
    template: {
      name: context.template_name,
      version: context.template_version_name,
      settings: {},
      directory: undefined,
    },
    parameters: valuesOf(context),
    agents,
    limits: defaultDriverLimits,
    accessUrl: needs.accessUrl,
    state: state ?? undefined,
  };
}

async function readAgents(
  { db, secrets }: BuildNeeds,
  { id, transition, workspace_id: workspaceId, build_number: number }: BuildContext,
  runningId: string | undefined,
): Promise<readonly DriverAgent[]> {
  if (runningId !== undefined) return readRunningAgents(db, secrets, runningId);
  if (transition === "start") return readDriverAgents(db, secrets, id);
  const start = await selectLastStart(db, workspaceId, number);
  return start === undefined ? [] : readRunningAgents(db, secrets, start.id);
}

/** Tells the driver that runs a workspace to remove what it started, when another driver is about to start it anew. */
async function leaveDriver(
  needs: BuildNeeds,
  { context, log, signal }: Work,
  { buildId, driver }: Predecessor,
): Promise<void> {
  if (driver === context.definition.driver) return;
  const { workspace_id: workspaceId, build_number: before } = context;
  const build = await readDriverBuild(needs, context, buildId);
  const state = await selectDriverState(needs.db, { workspaceId, before, driver });
  log.stage(stages.delete);
  const leaving = requireDriver(needs.drivers, driver);
  await leaving.delete({ ...build, transition: "delete", state }, driverLog(log), signal);
}

/** Creates the agents of a start, unless an earlier attempt of this job did, and ends the agents that they replace. */
async function prepareAgents(
  needs: BuildNeeds,
  { context, driver, log, signal }: Work,
  replaced: Predecessor | undefined,
): Promise<void> {
  const { db, secrets } = needs;
  if (context.has_resources) return;
  const agents = renderAgents(context, context.parameters);
  const plan = await driver.plan(
    {
      template: {
        name: context.template_name,
        version: context.template_version_name,
        settings: {},
        directory: undefined,
      },
      parameters: valuesOf(context),
      agentNames: agents.map((agent) => agent.name),
    },
    driverLog(log),
    signal,
  );
  const rowsWith = (processes: ReadonlyMap<string, LeftProcess>): readonly NewRows[] =>
    resourceRows(secrets, {
      buildId: context.id,
      jobId: context.job_id,
      resources: plan.resources,
      definitions: agents,
      processes,
    });
  const resting = replaced === undefined ? await findResting(db, context) : undefined;
  if (replaced === undefined && resting === undefined) {
    await insertRows(db, rowsWith(new Map()));
    return;
  }
  await inTransaction(db, async (trx) => {
    if (replaced !== undefined) await endAgents(trx, replaced.buildId);
    const left = resting === undefined ? new Map() : await endRestingAgents(trx, resting);
    await insertRows(trx, rowsWith(left));
  });
}

/** Finds the build whose agents keep their tokens, because people started them and nothing ends their processes. */
async function findResting(
  db: Database,
  {
    definition,
    workspace_id: workspaceId,
    build_number: number,
    build_owner_id: ownerId,
  }: BuildContext,
): Promise<string | undefined> {
  if (!capabilitiesOf(definition.driver).hasExternalAgents || number === 1) return undefined;
  const start = await selectLastStart(db, workspaceId, number);
  return start?.owner_id === ownerId && start.driver === definition.driver ? start.id : undefined;
}

/** Returns the parameter values of a build by name. */
function valuesOf({ parameters }: BuildContext): Readonly<Record<string, string>> {
  return Object.fromEntries(parameters.map(({ name, value }) => [name, value]));
}

/** Writes a driver's lines to the build's log, and its stages as headlines. */
function driverLog(log: JobLogWriter): DriverLog {
  return { write: (level, _stage, line) => log.write(level, line) };
}

function success(context: BuildContext, result: DriverResult): JobOutcome {
  return {
    error: undefined,
    topics: [
      topics.builds(context.workspace_id),
      topics.workspace(context.workspace_id),
      ...(isDeletedDormant(context) ? [topics.inbox(context.owner_id)] : []),
    ],
    commit: async (trx) => {
      await (context.transition === "start"
        ? updateStarted(trx, context.id, result.state)
        : updateDriverState(trx, context.id, result.state));
      if (context.transition === "delete") await markWorkspaceDeleted(trx, context.workspace_id);
      if (isDeletedDormant(context)) await tellOwner(trx, context);
    },
  };
}

/** Returns whether a build deletes a workspace because it was dormant for long. */
function isDeletedDormant({ transition, reason }: BuildContext): boolean {
  return transition === "delete" && reason === "dormancy";
}

function tellOwner(trx: Transaction<DB>, context: BuildContext): Promise<void> {
  const { owner_id: ownerId, workspace_id: id, workspace_name: name } = context;
  return writeDeletedNotice(trx, { ownerId, id, name });
}

/** Records the new owner of the processes. A driver that had nothing to do leaves the resources as they were. */
function claimed(
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
      if (result !== undefined) await updateDriverState(trx, context.id, result.state);
      const left = { ...predecessor, resources };
      const { parameters } = context;
      const rows = await takeOver(trx, secrets, { context, parameters }, left);
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
