import type { WorkspaceBuild, WorkspaceResource } from "@slipway/api";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { jobJson } from "../../platform/jobs/job-json.ts";
import { agentJson, type AgentWorkspace } from "../agents/service.ts";
import { buildJson } from "./build-json.ts";
import {
  type BuildRow,
  selectBuild,
  selectBuildByNumber,
  selectBuilds,
  selectNewestBuilds,
} from "./queries.ts";

/** Reads the newest build of each workspace. */
export async function readNewestBuilds(
  db: Queryable,
  workspaceIds: readonly string[],
  now: number,
): Promise<readonly WorkspaceBuild[]> {
  const rows = await selectNewestBuilds(db, workspaceIds);
  return rows.map((row) => describeBuild(row, now));
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
    hide: false,
    icon: row.icon,
    agents: row.agents.map((agent) => agentJson(agent, place, now)),
    metadata: [],
    daily_cost: 0,
  }));
}

function placeOf(build: BuildRow): AgentWorkspace {
  return {
    workspaceId: build.workspace_id,
    workspaceName: build.workspace_name,
    ownerName: build.owner_name,
  };
}
