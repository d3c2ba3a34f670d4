import { randomUUID } from "node:crypto";

import type { WorkspaceResource } from "@slipway/api/builds/resource";
import type { JobType, ProvisionerJob } from "@slipway/api/jobs/job";
import {
  type Driver,
  type DriverLog,
  type DriverOwner,
  type DriverReading,
  type DriverResource,
  type DriverTemplate,
  type PlannedAgent,
} from "@slipway/drivers";
import type { NamedValue, RenderedAgents } from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { PreconditionFailed } from "../../platform/errors/errors.ts";
import { storableText } from "../../platform/fields/storable-text.ts";
import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import { readJob } from "../../platform/jobs/service.ts";
import { type StageSeconds, stageObserver } from "../../platform/jobs/stage-seconds.ts";
import { metadataJson, plannedAgent } from "../agents/plan-service.ts";
import { type UnpackNeeds, withTemplateFiles } from "./unpack-service.ts";
import { requireVersion } from "./version-service.ts";

/** The subject of a plan, with the names that its texts refer to. */
export interface PlanSubject {
  readonly jobId: string;
  readonly template: Omit<DriverTemplate, "settings" | "directory">;
  readonly workspaceName: string;
  readonly ownerName: string;
  readonly parameters: readonly NamedValue[];
  readonly agents: RenderedAgents;
  /** The same agents as the driver plans them. */
  readonly planned: readonly PlannedAgent[];
  /** The archive of the template's version. */
  readonly fileId: string;
  /** The time at which the job was created. */
  readonly at: string;
}

/** A template version that its driver reads, with the values chosen so far. */
interface ReadSubject extends Pick<PlanSubject, "jobId" | "template" | "parameters" | "fileId"> {
  /** The URL at which agents reach the server. */
  readonly accessUrl: string;
  /** Undefined before there is a workspace. */
  readonly owner: DriverOwner | undefined;
  readonly type: JobType;
}

interface ReadNeeds extends UnpackNeeds {
  readonly stageSeconds: StageSeconds;
}

/** Reads a template by its driver, which must be able to. Its stages go to the metrics. */
export async function readByDriver(
  needs: ReadNeeds,
  driver: Driver,
  { jobId, template, parameters, fileId, accessUrl, owner, type }: ReadSubject,
  log: JobLogWriter,
  signal: AbortSignal,
): Promise<DriverReading> {
  const { read } = driver;
  if (read === undefined) throw new Error(`the driver ${driver.name} reads no templates`);
  const values = Object.fromEntries(parameters.map(({ name, value }) => [name, value]));
  const files = {
    template: { ...template, settings: {}, directory: undefined },
    fileId,
    agents: [],
    areNeeded: true,
  };
  const measuring = { ...planLog(log), measured: stageObserver(needs.stageSeconds, type) };
  return withTemplateFiles(needs, files, (unpacked) =>
    read(
      { key: jobId, template: unpacked, parameters: values, accessUrl, owner },
      measuring,
      signal,
    ),
  );
}

/** Gets the plan of a driver; resolves to resources as clients see them. */
export async function planResources(
  needs: UnpackNeeds,
  driver: Driver,
  subject: PlanSubject,
  log: JobLogWriter,
  signal: AbortSignal,
): Promise<WorkspaceResource[]> {
  const { planned: agents, fileId } = subject;
  const parameters = Object.fromEntries(subject.parameters.map(({ name, value }) => [name, value]));
  const files = {
    template: { ...subject.template, settings: {}, directory: undefined },
    fileId,
    agents,
    areNeeded: false,
  };
  const { resources } = await withTemplateFiles(needs, files, (template) =>
    driver.plan({ template, parameters, agents, purpose: "push" }, planLog(log), signal),
  );
  return resources.map((resource) => resourceJson(resource, subject));
}

/** Returns the log of a driver in a job of a template. */
function planLog(log: JobLogWriter): DriverLog {
  return { write: (level, _stage, line) => log.write(level, line) };
}

/** Returns a planned resource as clients see it. */
export function resourceJson(
  resource: DriverResource,
  subject: Omit<PlanSubject, "template" | "parameters" | "planned" | "fileId">,
): WorkspaceResource {
  const id = randomUUID();
  const { jobId, workspaceName, ownerName, at } = subject;
  return {
    id,
    created_at: at,
    job_id: jobId,
    workspace_transition: "start",
    type: storableText(resource.type),
    name: storableText(resource.name),
    hide: resource.isHidden ?? false,
    icon: storableText(resource.icon ?? ""),
    agents: subject.agents
      .filter((agent) => resource.agentNames.includes(agent.name))
      .map((agent) =>
        plannedAgent(agent, { resourceId: id, createdAt: at, workspaceName, ownerName }),
      ),
    metadata: (resource.metadata ?? []).map(metadataJson),
    daily_cost: resource.dailyCost ?? 0,
  };
}

/** Reads the plan of a job; throws `PreconditionFailed` while it runs, and when it failed. */
export async function readPlan(db: Queryable, job: ProvisionerJob): Promise<WorkspaceResource[]> {
  if (job.status === "succeeded") return (await selectPlan(db, job.id)) ?? [];
  throw new PreconditionFailed("The job has not succeeded.", {
    detail: `Its status is ${job.status}. See its log for details.`,
  });
}

/** Reads the plan of a version from its import. */
export async function readVersionPlan(
  db: Queryable,
  versionId: string,
): Promise<WorkspaceResource[]> {
  const version = await requireVersion(db, versionId);
  return readPlan(db, await readJob(db, version.job_id));
}

export async function insertPlan(
  db: Queryable,
  jobId: string,
  resources: readonly WorkspaceResource[],
): Promise<void> {
  await db
    .insertInto("job_plans")
    .values({ job_id: jobId, resources: JSON.stringify(resources) })
    .execute();
}

/** Selects the plan of a job; undefined when it planned nothing, or is older than stored plans. */
async function selectPlan(db: Queryable, jobId: string): Promise<WorkspaceResource[] | undefined> {
  const row = await db
    .selectFrom("job_plans")
    .where("job_id", "=", jobId)
    // Written by `insertPlan` alone.
    .select(sql<WorkspaceResource[]>`resources`.as("resources"))
    .executeTakeFirst();
  return row?.resources;
}
