import type { BuildTimings } from "@slipway/api";

import type { Queryable } from "../../platform/db/database.ts";
import { notFound } from "../../platform/errors/errors.ts";
import { readJob } from "../../platform/jobs/service.ts";
import { readAgentTimings } from "../agents/lifecycle/timing-service.ts";
import { type BuildRow, selectNewestBuilds } from "./queries.ts";

/** Reads the durations of a build's parts. A driver does its work in one step, which counts as the provisioner's. */
export async function readTimings(db: Queryable, build: BuildRow): Promise<BuildTimings> {
  const [job, agents] = await Promise.all([
    readJob(db, build.job_id),
    readAgentTimings(db, build.id),
  ]);
  const { started_at, completed_at } = job;
  if (started_at === undefined || completed_at === undefined)
    return { provisioner_timings: [], ...agents };
  const step = {
    job_id: job.id,
    started_at,
    ended_at: completed_at,
    stage: "apply",
    source: "slipway",
    action: build.transition,
    resource: build.workspace_name,
  } as const;
  return { provisioner_timings: [step], ...agents };
}

/** Reads the same of the newest build of a workspace. */
export async function readNewestTimings(db: Queryable, workspaceId: string): Promise<BuildTimings> {
  const [build] = await selectNewestBuilds(db, [workspaceId]);
  if (build === undefined) throw notFound();
  return readTimings(db, build);
}
