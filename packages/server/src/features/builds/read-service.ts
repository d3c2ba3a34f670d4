import type { BuildStatus, WorkspaceBuild } from "@slipway/api/builds/build";
import type { Transition, WorkspaceResource } from "@slipway/api/builds/resource";
import type { BuildTimings } from "@slipway/api/builds/timings";
import type { ProvisionerJob } from "@slipway/api/jobs/job";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { jobJson, readJob } from "../../platform/jobs/service.ts";
import { readAgentTimings } from "../agents/lifecycle/timing-service.ts";
import { agentJson, type AgentWorkspace } from "../agents/service.ts";
import {
  type BuildRow,
  selectBuild,
  selectBuildByNumber,
  selectBuilds,
  selectNewestBuilds,
} from "./queries.ts";
import { readStageTimings } from "./stage-timings.ts";

/** Reads the newest build of a workspace, which must have one. */
export async function readNewestBuild(
  db: Queryable,
  workspaceId: string,
  now: number,
): Promise<WorkspaceBuild> {
  const [row] = await selectNewestBuilds(db, [workspaceId]);
  if (row === undefined) throw new Error(`workspace ${workspaceId} has no build`);
  return describeBuild(row, now);
}

/** Reads all builds of a workspace, newest first. */
export async function readBuildsOf(
  db: Queryable,
  workspaceId: string,
  now: number,
): Promise<readonly WorkspaceBuild[]> {
  const rows = await selectBuilds(db, workspaceId);
  return rows.map((row) => describeBuild(row, now));
}

/** Reads one build, which must exist. */
export async function readBuild(db: Queryable, id: string, now: number): Promise<WorkspaceBuild> {
  const row = await selectBuild(db, id);
  if (row === undefined) throw new Error(`build ${id} does not exist`);
  return describeBuild(row, now);
}

/** Reads a build by its number; throws `NotFound`. */
export async function readBuildByNumber(
  db: Queryable,
  workspaceId: string,
  number: number,
  now: number,
): Promise<WorkspaceBuild> {
  const row = await selectBuildByNumber(db, workspaceId, number);
  if (row === undefined) throw notFound();
  return describeBuild(row, now);
}

/** Reads a build's row, if the caller may see its workspace; throws `NotFound`. */
export async function requireBuild(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<BuildRow> {
  const row = await selectBuild(db, id);
  if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw notFound();
  return row;
}

/** Returns a build as clients see it at `now`. */
export function describeBuild(row: BuildRow, now: number): WorkspaceBuild {
  const job = jobJson({ ...row.job, workspace_build_id: row.id });
  return buildJson(row, job, describeResources(row, now));
}

/** Returns the resources that a build created, with their agents, as clients see them at `now`. */
export function describeResources(build: BuildRow, now: number): WorkspaceResource[] {
  const place = placeOf(build);
  return build.resources.map((row) => ({
    id: row.id,
    created_at: row.created_at,
    job_id: row.job_id,
    workspace_transition: row.workspace_transition,
    type: row.type,
    name: row.name,
    hide: row.hide,
    icon: row.icon,
    agents: row.agents.map((agent) => agentJson(agent, place, now)),
    metadata: row.metadata,
    daily_cost: row.daily_cost,
  }));
}

function placeOf(build: BuildRow): AgentWorkspace {
  return {
    workspaceId: build.workspace_id,
    workspaceName: build.workspace_name,
    ownerName: build.owner_name,
  };
}

/** Returns the build as clients see it. */
function buildJson(
  row: BuildRow,
  job: ProvisionerJob,
  resources: readonly WorkspaceResource[],
): WorkspaceBuild {
  const { transition } = row;
  return {
    id: row.id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    workspace_id: row.workspace_id,
    workspace_name: row.workspace_name,
    workspace_owner_id: row.owner_id,
    workspace_owner_name: row.owner_name,
    template_version_id: row.template_version_id,
    template_version_name: row.template_version_name,
    build_number: row.build_number,
    transition,
    initiator_id: row.initiator_id,
    initiator_name: row.initiator_name,
    job,
    reason: row.reason,
    resources: [...resources],
    deadline: row.deadline,
    max_deadline: row.max_deadline,
    status: buildStatus(job.status, transition),
    daily_cost: resources.reduce((sum, resource) => sum + resource.daily_cost, 0),
    // Without tags, the server that answers has taken its job, or could have.
    matched_provisioners: row.job.matched_provisioners ?? {
      count: 1,
      available: 1,
      most_recently_seen: row.created_at,
    },
    template_version_preset_id: row.template_version_preset_id,
    has_ai_task: false,
    has_external_agent: row.has_external_agents,
  };
}

const runningStatus = { start: "starting", stop: "stopping", delete: "deleting" } as const;
const endStatus = { start: "running", stop: "stopped", delete: "deleted" } as const;

/** Derives the status of a build from its job and its transition (docs/protocol/clients.md §2.3). */
export function buildStatus(job: ProvisionerJob["status"], transition: Transition): BuildStatus {
  switch (job) {
    case "running":
      return runningStatus[transition];
    case "succeeded":
      return endStatus[transition];
    case "unknown":
      return "failed";
    case "pending":
    case "canceling":
    case "canceled":
    case "failed":
      return job;
  }
}

/**
 * Reads the durations of a build's parts. The work of a driver that does not measure its stages is one step, which counts as
 * the provisioner's.
 */
export async function readTimings(db: Queryable, build: BuildRow): Promise<BuildTimings> {
  const [job, agents] = await Promise.all([
    readJob(db, build.job_id),
    readAgentTimings(db, build.id),
  ]);
  const { started_at, completed_at } = job;
  if (started_at === undefined || completed_at === undefined)
    return { provisioner_timings: [], ...agents };
  const stages = await readStageTimings(db, { id: job.id, completed_at });
  if (stages.length > 0) return { provisioner_timings: [...stages], ...agents };
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

/** Reads the durations of the newest build of a workspace; throws `NotFound`. */
export async function readNewestTimings(db: Queryable, workspaceId: string): Promise<BuildTimings> {
  const [build] = await selectNewestBuilds(db, [workspaceId]);
  if (build === undefined) throw notFound();
  return readTimings(db, build);
}
