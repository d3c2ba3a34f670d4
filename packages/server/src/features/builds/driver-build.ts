import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import {
  capabilitiesOf,
  defaultDriverLimits,
  type Driver,
  type DriverAgent,
  type DriverBuild,
  DriverError,
  type DriverGitKey,
  type DriverLog,
  type DriverResult,
  type DriverTemplate,
} from "@slipway/drivers";
import type { Clock } from "@slipway/runtime";
import { sql } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import type { JobLease } from "../../platform/jobs/job-lease.ts";
import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import { type StageSeconds, stageObserver } from "../../platform/jobs/stage-seconds.ts";
import { readDriverAgents, readRunningAgents } from "../agents/build-service.ts";
import { driverAgents } from "../agents/plan-service.ts";
import { type UnpackNeeds, withTemplateFiles } from "../templates/unpack-service.ts";
import { ensureGitKey } from "../users/git-key-service.ts";
import type { BuildContext } from "./build-context.ts";
import { keepDriverState, selectDriverState } from "./driver-state.ts";
import { renderAgents } from "./render.ts";
import type { StageTimings } from "./stage-timings.ts";
import type { WorkspaceTurns } from "./workspace-turns.ts";

export interface BuildNeeds extends UnpackNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly accessUrl: string;
  readonly turns: WorkspaceTurns;
}

/** The dependencies of a build whose stages are measured. */
export interface MeasuredBuildNeeds extends BuildNeeds {
  readonly clock: Pick<Clock, "now">;
  readonly stageSeconds: StageSeconds;
}

/** A build that a driver carries out, with the lease of its job; undefined once the job has ended. */
export interface LeasedBuild {
  readonly context: BuildContext;
  readonly lease: JobLease | undefined;
}

/** A build in progress, with its driver and its log. */
export interface RunningBuild extends LeasedBuild {
  readonly driver: Driver;
  readonly log: JobLogWriter;
  readonly timings: StageTimings;
  readonly signal: AbortSignal;
}

/**
 * Reads the build in the form that its driver receives: with the agents of a start and their containers, or the running
 * ones, and their tokens in clear text. `runningId` is the build whose agents are running, if known.
 */
export async function readDriverBuild(
  needs: BuildNeeds,
  { context, lease }: LeasedBuild,
  runningId?: string,
): Promise<DriverBuild> {
  const { db, secrets } = needs;
  const { id, workspace_id: workspaceId, build_number: upTo } = context;
  const { driver } = context.definition;
  const [agents, gitKey] = await Promise.all([
    readAgents(needs, context, runningId),
    readOwnerKey(needs, context),
  ]);
  return {
    id: context.id,
    number: context.build_number,
    transition: context.transition,
    workspace: {
      id: context.workspace_id,
      name: context.workspace_name,
      owner: {
        id: context.owner_id,
        username: context.owner_username,
        name: context.owner_name,
        email: context.owner_email,
        roles: context.owner_roles,
        organizationId: context.organization_id,
        loginType: context.owner_login_type,
        gitKey,
      },
    },
    template: driverTemplate(context),
    parameters: parameterValues(context),
    isPrebuild: context.owner_id === prebuildsUserId,
    agents: context.transition === "start" ? withContainers(context, agents) : agents,
    limits: defaultDriverLimits,
    accessUrl: needs.accessUrl,
    readState: () => selectDriverState(db, secrets, { workspaceId, upTo, driver }),
    keepState: async (kept) => {
      const { holder } = requireLease(lease);
      await keepDriverState(db, secrets, { id, driver, holder }, kept);
    },
    hold: async (times) => requireLease(lease).hold(times),
  };
}

/** Reads the owner's key, if the driver reads the template, which may need it; undefined in pools and for suspended owners. */
async function readOwnerKey(
  { db, secrets }: Pick<BuildNeeds, "db" | "secrets">,
  { definition, owner_id: ownerId, owner_status: status }: BuildContext,
): Promise<DriverGitKey | undefined> {
  const needsKey = capabilitiesOf(definition.driver).readsTemplates;
  if (!needsKey || ownerId === prebuildsUserId || status === "suspended") return undefined;
  return ensureGitKey(db, secrets, ownerId);
}

function requireLease(lease: JobLease | undefined): JobLease {
  if (lease === undefined) throw new TypeError("the job of the build has ended");
  return lease;
}

/** Returns the template of a build in the form that its driver receives, without its files. */
export function driverTemplate(context: BuildContext): DriverTemplate {
  return {
    id: context.template_id,
    name: context.template_name,
    version: context.template_version_name,
    settings: {},
    directory: undefined,
    notes: context.driver_notes ?? undefined,
  };
}

/** Adds the containers of agents; without them the template is not rendered, which may fail. */
function withContainers(
  context: BuildContext,
  agents: readonly DriverAgent[],
): readonly DriverAgent[] {
  if (context.definition.agents.every(({ container }) => container === undefined)) return agents;
  const planned = driverAgents(renderAgents(context, context.parameters));
  const containers = new Map(planned.map(({ name, container }) => [name, container]));
  return agents.map((agent) => ({ ...agent, container: containers.get(agent.name) }));
}

/** A method of a driver that carries out a build. */
export type DriverWork = "start" | "stop" | "delete" | "claim";

/** Carries out a build by its driver, with the files of its template if the driver needs them. */
export function runDriver(
  needs: UnpackNeeds,
  driver: Driver,
  { work, build, fileId }: DriverTask,
  log: DriverLog,
  signal: AbortSignal,
): Promise<DriverResult | undefined> {
  const run = driver[work]?.bind(driver);
  if (run === undefined) return Promise.resolve(undefined);
  const { readsTemplates } = capabilitiesOf(driver.name);
  const agents = work === "start" ? build.agents : [];
  return withTemplateFiles(
    needs,
    { template: build.template, fileId, agents, areNeeded: readsTemplates },
    (template) => run({ ...build, template }, log, signal),
  );
}

export interface DriverTask {
  readonly work: DriverWork;
  readonly build: DriverBuild;
  /** The archive of the template's version. */
  readonly fileId: string;
}

/** Runs a start by its driver. */
export async function runStart(
  needs: UnpackNeeds,
  driver: Driver,
  task: Omit<DriverTask, "work">,
  log: DriverLog,
  signal: AbortSignal,
): Promise<DriverResult> {
  const result = await runDriver(needs, driver, { ...task, work: "start" }, log, signal);
  if (result === undefined) throw new Error(`the driver ${driver.name} has no start`);
  return result;
}

async function readAgents(
  { db, secrets }: BuildNeeds,
  { id, transition, definition, workspace_id: workspaceId, build_number: number }: BuildContext,
  runningId: string | undefined,
): Promise<readonly DriverAgent[]> {
  if (runningId !== undefined) return readRunningAgents(db, secrets, runningId);
  const isPrepared = !capabilitiesOf(definition.driver).readsTemplates;
  if (transition === "start" && isPrepared) return readDriverAgents(db, secrets, id);
  const start = await selectLastStart(db, workspaceId, number);
  return start === undefined ? [] : readRunningAgents(db, secrets, start.id);
}

/** Returns the parameter values of a build by name. */
export function parameterValues({ parameters }: BuildContext): Readonly<Record<string, string>> {
  return Object.fromEntries(parameters.map(({ name, value }) => [name, value]));
}

export function requireDriver(drivers: ReadonlyMap<string, Driver>, name: string): Driver {
  const driver = drivers.get(name);
  if (driver !== undefined) return driver;
  const known = [...drivers.keys()].join(", ");
  throw new DriverError("invalid-template", `this server has no driver ${name}; it has: ${known}`);
}

/** Returns the log of a driver, whose lines go to the build's log, and its stages to the build's timings and the metrics. */
export function driverLog(
  { stageSeconds }: Pick<MeasuredBuildNeeds, "stageSeconds">,
  { log, timings }: Pick<RunningBuild, "log" | "timings">,
): DriverLog {
  const observe = stageObserver(stageSeconds, "workspace_build");
  return {
    write: (level, _stage, line) => log.write(level, line),
    measured: (stage) => {
      observe(stage);
      timings.add(stage);
    },
  };
}

/** A start whose agents run. */
interface LastStart {
  readonly id: string;
  readonly owner_id: string;
  readonly driver: string;
}

/** Reads the newest start before a number whose agents have not ended: the running processes are theirs. */
export function selectLastStart(
  db: Queryable,
  workspaceId: string,
  before: number,
): Promise<LastStart | undefined> {
  return db
    .selectFrom("workspace_builds as b")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.transition", "=", "start")
    .where("b.build_number", "<", before)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("workspace_agents as agent")
          .whereRef("agent.workspace_build_id", "=", "b.id")
          .where("agent.deleted", "=", sql.lit(false))
          .select("agent.id"),
      ),
    )
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .orderBy("b.build_number", "desc")
    .select(["b.id", "b.owner_id", sql<string>`v.definition ->> 'driver'`.as("driver")])
    .executeTakeFirst();
}
