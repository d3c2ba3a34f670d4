import type { WorkspaceBuild, WorkspaceResource } from "@slipway/api";

import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { jobJson } from "../../platform/jobs/job-json.ts";
import { readAgentsOfJobs } from "../agents/service.ts";
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
  return describeBuilds(db, await selectNewestBuilds(db, workspaceIds), now);
}

/** Reads all builds of a workspace, newest first. */
export async function readBuildsOf(
  db: Queryable,
  workspaceId: string,
  now: number,
): Promise<readonly WorkspaceBuild[]> {
  return describeBuilds(db, await selectBuilds(db, workspaceId), now);
}

/** Reads one build, which must exist. */
export async function readBuild(db: Queryable, id: string, now: number): Promise<WorkspaceBuild> {
  const row = await selectBuild(db, id);
  const [build] = row === undefined ? [] : await describeBuilds(db, [row], now);
  if (build === undefined) throw new Error(`build ${id} does not exist`);
  return build;
}

/** Reads a build by its number; throws `NotFound`. */
export async function readBuildByNumber(
  db: Queryable,
  workspaceId: string,
  number: number,
  now: number,
): Promise<WorkspaceBuild> {
  const row = await selectBuildByNumber(db, workspaceId, number);
  const [build] = row === undefined ? [] : await describeBuilds(db, [row], now);
  if (build === undefined) throw notFound();
  return build;
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

/** Returns builds as clients see them at `now`, after one statement more, however many there are. */
export async function describeBuilds(
  db: Queryable,
  rows: readonly BuildRow[],
  now: number,
): Promise<readonly WorkspaceBuild[]> {
  if (rows.length === 0) return [];
  const resources = Map.groupBy(await readResources(db, rows, now), ({ job_id }) => job_id);
  return rows.map((row) =>
    buildJson(
      row,
      jobJson({ ...row.job, workspace_build_id: row.id }),
      resources.get(row.job_id) ?? [],
    ),
  );
}

/** Reads the resources that builds created, with their agents. */
export async function readResources(
  db: Queryable,
  builds: readonly BuildRow[],
  now: number,
): Promise<readonly WorkspaceResource[]> {
  const places = new Map(builds.map((build) => [build.job_id, placeOf(build)]));
  const agents = Map.groupBy(
    await readAgentsOfJobs(db, places, now),
    ({ resource_id }) => resource_id,
  );
  return builds
    .flatMap(({ resources }) => resources)
    .map((row) => ({
      id: row.id,
      created_at: row.created_at,
      job_id: row.job_id,
      workspace_transition: row.workspace_transition,
      type: row.type,
      name: row.name,
      hide: false,
      icon: row.icon,
      agents: agents.get(row.id) ?? [],
      metadata: [],
      daily_cost: 0,
    }));
}

function placeOf(build: BuildRow) {
  return {
    workspaceId: build.workspace_id,
    workspaceName: build.workspace_name,
    ownerName: build.owner_name,
  };
}
