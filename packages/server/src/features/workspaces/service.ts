import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { prebuildsUserId, prebuildsUsername } from "@slipway/api/prebuilds/prebuild";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { mayActFor, maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { Conflict, forbidden, notFound, takenField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Platform } from "../../platform/platform.ts";
import { wasDeleted } from "../builds/lock-service.ts";
import type { WorkspaceLimits } from "../builds/quota-service.ts";
import { describeBuild, readNewestBuild } from "../builds/read-service.ts";
import { findVisibleUser } from "../users/service.ts";
import { deletionOf } from "./dormant-deletion.ts";
import {
  selectWorkspace,
  selectWorkspaceByName,
  selectWorkspacesWithBuilds,
  type WorkspaceRow,
  type WorkspaceWithBuild,
} from "./queries.ts";

export interface WorkspaceNeeds extends Pick<Platform, "db" | "pubsub" | "clock"> {
  readonly limits: WorkspaceLimits;
}

/**
 * Finds the user whose workspaces a path names, if the caller may see them. The system user has some, although it is
 * not a visible user.
 */
export async function findOwner(
  db: Database,
  caller: UserCaller,
  reference: string,
): Promise<{ readonly id: string }> {
  const isSystem = [prebuildsUsername, prebuildsUserId].includes(reference.toLowerCase());
  const owner = isSystem ? { id: prebuildsUserId } : await findVisibleUser(db, caller, reference);
  if (!maySeeWorkspacesOf(caller, owner.id)) throw notFound();
  return owner;
}

/** Reads a workspace's row, if the caller may see it; throws `NotFound`. */
export async function requireWorkspace(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<WorkspaceRow> {
  const row = await selectWorkspace(db, id);
  if (row === undefined || !maySeeWorkspacesOf(caller, row.owner_id)) throw notFound();
  return row;
}

/** Reads the row of a workspace that existed before; rows of deleted ones stay. */
export async function requireStillThere(db: Queryable, id: string): Promise<WorkspaceRow> {
  const row = await selectWorkspace(db, id);
  if (row === undefined) throw notFound();
  return row;
}

/**
 * Reads a workspace's row, if the caller may change it. Throws `NotFound` when the caller may not see it, `Forbidden`
 * when the caller may only see it, `Gone` for a deleted one.
 */
export async function requireChangeable(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<WorkspaceRow> {
  const row = await requireWorkspace(db, caller, id);
  if (!mayActFor(caller, row.owner_id))
    throw forbidden("Only the owner of a workspace, or a user with the owner role, can change it.");
  if (row.deleted) throw wasDeleted(row);
  return row;
}

/**
 * Throws `Conflict` for a prebuild: its preset sets how it waits, and its claimant sets the rest
 * (docs/protocol/prebuilds.md §2.5).
 */
export function refusePrebuild({ owner_id, name }: Pick<WorkspaceRow, "owner_id" | "name">): void {
  if (owner_id !== prebuildsUserId) return;
  throw new Conflict(`Workspace "${name}" is a prebuild that nobody has claimed yet.`, {
    detail: "Its preset determines its settings, parameters and version until a user claims it.",
  });
}

export async function requireWorkspaceByName(
  db: Queryable,
  ownerId: string,
  name: string,
  includeDeleted: boolean,
): Promise<WorkspaceRow> {
  const row = await selectWorkspaceByName(db, { ownerId, name, includeDeleted });
  if (row === undefined) throw notFound();
  return row;
}

/** Returns a workspace as clients see it, with its newest build. */
export async function describeWorkspace(
  db: Queryable,
  row: WorkspaceRow,
  now: number,
): Promise<Workspace> {
  return workspaceJson(row, await readNewestBuild(db, row.id, now));
}

/**
 * Reads a workspace as the caller sees it, together with its newest build; throws `NotFound`, also for a deleted one
 * unless it is to be included.
 */
export async function readWorkspace(
  db: Queryable,
  caller: UserCaller,
  id: string,
  { now, includeDeleted }: { readonly now: number; readonly includeDeleted: boolean },
): Promise<Workspace> {
  const [found] = await selectWorkspacesWithBuilds(db, [id]);
  if (found === undefined || !maySeeWorkspacesOf(caller, found.workspace.owner_id))
    throw notFound();
  if (found.workspace.deleted && !includeDeleted) throw notFound();
  return describeFound(found, now);
}

/** Returns a workspace and its newest build as clients see them at `now`. */
export function describeFound({ workspace, build }: WorkspaceWithBuild, now: number): Workspace {
  return workspaceJson(workspace, describeBuild(build, now));
}

/** Returns the workspace as clients see it. */
function workspaceJson(row: WorkspaceRow, build: WorkspaceBuild): Workspace {
  const agents = build.resources.flatMap((resource) => resource.agents);
  const deletion = row.deleted ? undefined : deletionOf(row);
  // Sub-agents do not count.
  const failing = agents.filter((agent) => agent.parent_id === null && !agent.health.healthy);
  return {
    id: row.id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    owner_id: row.owner_id,
    owner_name: row.owner_name,
    owner_avatar_url: "",
    organization_id: row.organization_id,
    organization_name: row.organization_name,
    template_id: row.template_id,
    template_name: row.template_name,
    template_display_name: row.template_display_name,
    template_icon: row.template_icon,
    template_allow_user_cancel_workspace_jobs: row.template_allow_user_cancel_workspace_jobs,
    template_active_version_id: row.template_active_version_id,
    template_require_active_version: row.template_require_active_version,
    template_use_classic_parameter_flow: row.template_use_classic_parameter_flow,
    latest_build: build,
    latest_app_status: newestAppStatus(agents),
    outdated: build.template_version_id !== row.template_active_version_id,
    name: row.name,
    autostart_schedule: row.autostart_schedule,
    ttl_ms: row.ttl_ms,
    ...(row.on_deadline === "delete" ? { on_deadline: row.on_deadline } : {}),
    // Creating it counts as use.
    last_used_at: row.last_used_at ?? row.created_at,
    deleting_at: deletion === undefined ? null : timestampFromMs(deletion.at),
    dormant_at: row.dormant_at,
    health: { healthy: failing.length === 0, failing_agents: failing.map((agent) => agent.id) },
    automatic_updates: row.automatic_updates,
    allow_renames: true,
    favorite: row.favorite,
    next_start_at:
      row.dormant_at === null && row.template_allow_user_autostart ? row.next_start_at : null,
    is_prebuild: row.owner_id === prebuildsUserId,
    task_id: null,
  };
}

/** Returns the newest status of any app; null while there is none. */
function newestAppStatus(agents: readonly WorkspaceAgent[]): Workspace["latest_app_status"] {
  const statuses = agents.flatMap((agent) => agent.apps.flatMap((app) => app.statuses));
  return statuses.reduce<Workspace["latest_app_status"]>(
    (newest, status) =>
      newest === null || Date.parse(status.created_at) > Date.parse(newest.created_at)
        ? status
        : newest,
    null,
  );
}

/** Returns whether a statement failed because its owner has a workspace of that name. */
export function writesName(error: unknown): boolean {
  return violatesUnique(error, "workspaces_owner_name");
}

export function nameTaken(name: string): Conflict {
  return takenField("name", `Workspace "${name}" already exists.`);
}
