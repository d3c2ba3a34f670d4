import { randomUUID } from "node:crypto";

import type { WorkspaceResource } from "@slipway/api/builds/resource";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import type { Driver, DriverResource, PlannedAgent } from "@slipway/drivers";
import type { NamedValue, RenderedAgents } from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { PreconditionFailed } from "../../platform/errors/errors.ts";
import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import { readJob } from "../../platform/jobs/service.ts";
import { plannedAgent } from "../agents/plan-service.ts";
import { type UnpackNeeds, withTemplateFiles } from "./unpack-service.ts";
import { requireVersion } from "./version-service.ts";

/** The subject of a plan, with the names that its texts refer to. */
export interface PlanSubject {
  readonly jobId: string;
  readonly template: { readonly name: string; readonly version: string };
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
  const lines = {
    write: (level: "debug" | "info" | "warn" | "error", _stage: string, line: string): void =>
      log.write(level, line),
  };
  const files = {
    template: { ...subject.template, settings: {}, directory: undefined },
    fileId,
    agents,
  };
  const { resources } = await withTemplateFiles(needs, files, (template) =>
    driver.plan({ template, parameters, agents, purpose: "push" }, lines, signal),
  );
  return resources.map((resource) => resourceJson(resource, subject));
}

function resourceJson(resource: DriverResource, subject: PlanSubject): WorkspaceResource {
  const id = randomUUID();
  const { jobId, workspaceName, ownerName, at } = subject;
  return {
    id,
    created_at: at,
    job_id: jobId,
    workspace_transition: "start",
    type: resource.type,
    name: resource.name,
    hide: false,
    icon: resource.icon ?? "",
    agents: subject.agents
      .filter((agent) => resource.agentNames.includes(agent.name))
      .map((agent) =>
        plannedAgent(agent, { resourceId: id, createdAt: at, workspaceName, ownerName }),
      ),
    metadata: [],
    daily_cost: 0,
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
