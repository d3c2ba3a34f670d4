import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { DeadlineAction } from "@slipway/api/workspaces/workspace";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { effectiveTtlMs } from "../../platform/jobs/build-sql.ts";
import { type BuildRow, builds, isNewestOf } from "../builds/queries.ts";

/** The columns of a workspace that the rows of its builds do not have. */
const ownColumns = [
  "w.organization_id",
  "o.name as organization_name",
  "w.template_id",
  "t.name as template_name",
  "t.display_name as template_display_name",
  "t.icon as template_icon",
  "t.active_version_id as template_active_version_id",
  "t.default_ttl_ms as template_default_ttl_ms",
  "t.time_til_dormant_autodelete_ms as template_time_til_dormant_autodelete_ms",
  "t.dormant_autodelete_set_at as template_dormant_autodelete_set_at",
  "t.allow_user_autostart as template_allow_user_autostart",
  "t.allow_user_autostop as template_allow_user_autostop",
  "t.require_active_version as template_require_active_version",
  "t.allow_user_cancel_workspace_jobs as template_allow_user_cancel_workspace_jobs",
  "t.use_classic_parameter_flow as template_use_classic_parameter_flow",
  "w.deleted",
  "w.favorite",
  "w.automatic_updates",
  "w.on_deadline",
  "w.autostart_schedule",
  "w.next_start_at",
  "w.dormant_at",
  "w.last_day_at",
  "w.last_used_at",
] as const;

function workspaces(db: Queryable) {
  return db
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("organizations as o", "o.id", "w.organization_id")
    .innerJoin("templates as t", "t.id", "w.template_id")
    .select([
      "w.id",
      "w.owner_id",
      "owner.username as owner_name",
      "w.name",
      "w.created_at",
      "w.updated_at",
    ])
    .select(ownColumns)
    .select(effectiveTtlMs.as("ttl_ms"));
}

const newestBuildsOfWorkspaces = prepareQuery((db, workspaceIds: readonly string[]) =>
  builds(db)
    .innerJoin("organizations as o", "o.id", "w.organization_id")
    .innerJoin("templates as t", "t.id", "w.template_id")
    .where(isNewestOf(workspaceIds))
    .select(ownColumns)
    .select(effectiveTtlMs.as("ttl_ms"))
    .select(["w.created_at as workspace_created_at", "w.updated_at as workspace_updated_at"]),
);

/** A workspace and its newest build. */
export interface WorkspaceWithBuild {
  readonly workspace: WorkspaceRow;
  readonly build: BuildRow;
}

/** Selects workspaces with their newest builds in one statement, in no particular order. */
export async function selectWorkspacesWithBuilds(
  db: Queryable,
  workspaceIds: readonly string[],
): Promise<readonly WorkspaceWithBuild[]> {
  const rows = await newestBuildsOfWorkspaces(db, workspaceIds);
  return rows.map((build) => {
    const workspace = {
      ...build,
      id: build.workspace_id,
      name: build.workspace_name,
      created_at: build.workspace_created_at,
      updated_at: build.workspace_updated_at,
    };
    return { workspace, build };
  });
}

const workspacesById = prepareQuery((db, id: string) => workspaces(db).where("w.id", "=", id));

export async function selectWorkspace(
  db: Queryable,
  id: string,
): Promise<WorkspaceRow | undefined> {
  const [row] = await workspacesById(db, id);
  return row;
}

export interface WorkspaceNameQuery {
  readonly ownerId: string;
  readonly name: string;
  readonly includeDeleted: boolean;
}

/** Selects the live workspace of that name, else, if requested, the one deleted last. */
export function selectWorkspaceByName(db: Queryable, query: WorkspaceNameQuery) {
  const named = workspaces(db)
    .where("w.owner_id", "=", query.ownerId)
    .where(sql`lower(w.name)`, "=", query.name.toLowerCase())
    .orderBy("w.deleted")
    .orderBy("w.updated_at", "desc");
  return (
    query.includeDeleted ? named : named.where("w.deleted", "=", sql.lit(false))
  ).executeTakeFirst();
}

/** Selects the owners of workspaces. */
export function selectOwners(db: Queryable, ids: readonly string[]) {
  return db
    .selectFrom("workspace_states")
    .where(sql<boolean>`workspace_id = any(${ids}::uuid[])`)
    .select(["workspace_id as id", "owner_id"])
    .execute();
}

/** Selects the ids of a user's favorites. */
export async function selectFavorites(db: Queryable, ownerId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("workspaces")
    .where("owner_id", "=", ownerId)
    .where("favorite", "=", sql.lit(true))
    .select("id")
    .execute();
  return rows.map(({ id }) => id);
}

export type WorkspaceRow = Awaited<ReturnType<typeof workspacesById>>[number];

/** The settings that the owner of a workspace controls. */
export interface WorkspaceSettings {
  readonly automaticUpdates: WorkspaceRow["automatic_updates"];
  readonly autostart: Autostart | undefined;
  /** Undefined: the template's default. */
  readonly ttlMs: number | undefined;
  readonly onDeadline: DeadlineAction;
}

/** An autostart schedule, and its next time. */
export interface Autostart {
  readonly schedule: string;
  readonly nextAt: string;
}

export interface InsertWorkspace {
  readonly id: string;
  readonly ownerId: string;
  readonly organizationId: string;
  readonly templateId: string;
  readonly name: string;
}

/** Returns the row of a new workspace. */
export function workspaceRows(
  input: InsertWorkspace,
  settings: SettingsColumns,
): readonly NewRows[] {
  return [{ table: "workspaces", rows: [{ ...workspaceColumns(input), ...settings }] }];
}

/** Returns the row of a workspace that waits in a pool: it neither stops nor starts by itself. */
export function prebuildRows(
  input: Omit<InsertWorkspace, "ownerId">,
  presetId: string,
): readonly NewRows[] {
  const columns = workspaceColumns({ ...input, ownerId: prebuildsUserId });
  return [{ table: "workspaces", rows: [{ ...columns, prebuild_preset_id: presetId }] }];
}

function workspaceColumns(input: InsertWorkspace) {
  return {
    id: input.id,
    owner_id: input.ownerId,
    organization_id: input.organizationId,
    template_id: input.templateId,
    name: input.name,
  };
}

/** The columns of a workspace's settings. */
export interface SettingsColumns {
  readonly automatic_updates: WorkspaceRow["automatic_updates"];
  readonly on_deadline: DeadlineAction;
  readonly autostart_schedule: string | null;
  readonly next_start_at: string | null;
  readonly ttl_ms: number | null;
}

/** Returns the settings as columns; a time to live that the owner does not set comes from the template. */
export function settingsColumns(
  { automaticUpdates, autostart, ttlMs, onDeadline }: WorkspaceSettings,
  template: { readonly default_ttl_ms: number },
): SettingsColumns {
  const defaultTtlMs = template.default_ttl_ms === 0 ? null : template.default_ttl_ms;
  return {
    automatic_updates: automaticUpdates,
    on_deadline: onDeadline,
    autostart_schedule: autostart?.schedule ?? null,
    next_start_at: autostart?.nextAt ?? null,
    ttl_ms: ttlMs ?? defaultTtlMs,
  };
}
