import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { countText } from "@slipway/runtime";
import { sql, type Transaction } from "kysely";

import type { Limits } from "../../platform/config/limits.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";

const limitNames = [
  "maxWorkspacesPerUser",
  "maxRunningWorkspacesPerUser",
  "maxPendingBuildsPerUser",
] as const;

export type WorkspaceLimits = Pick<Limits, (typeof limitNames)[number]>;

interface Subject {
  /** The present or future owner of the workspace: its number and whether it runs count for them. */
  readonly ownerId: string;
  /** The user who requests the build: a queued build counts for them. */
  readonly initiatorId: string;
}

/** The checks for a new workspace and its first build. Each throws `LimitReached` when there is no room. */
interface Room {
  requireWorkspace(): void;
  requireBuild(): void;
}

/**
 * Checks that a new workspace and its first build are within the limits. Until the transaction ends, other requests for
 * the same owner or by the same initiator wait, so that concurrent requests cannot exceed a limit together.
 */
export async function lockRoom(
  trx: Transaction<DB>,
  limits: WorkspaceLimits,
  subject: Subject,
): Promise<Room> {
  if (isExempt(limits, subject)) return { requireWorkspace: () => {}, requireBuild: () => {} };
  const use = await lockAndCountUse(trx, subject, null);
  return {
    requireWorkspace: () => {
      requireFewerWorkspaces(limits, use);
      requireFewerRunning(limits, use);
    },
    requireBuild: () => requireFewerBuilds(limits, use),
  };
}

/**
 * Checks that a start of a workspace is within the limits; throws `LimitReached`. Stops and deletes are always allowed.
 */
export async function requireRoomToStart(
  trx: Transaction<DB>,
  limits: WorkspaceLimits,
  { workspaceId, ...subject }: Subject & { readonly workspaceId: string },
): Promise<void> {
  if (isExempt(limits, subject)) return;
  const use = await lockAndCountUse(trx, subject, workspaceId);
  if (!use.is_running) requireFewerRunning(limits, use);
  requireFewerBuilds(limits, use);
}

/** Returns whether the limits do not apply. Prebuilds are bounded by their pools. */
function isExempt(limits: WorkspaceLimits, { ownerId }: Subject): boolean {
  return ownerId === prebuildsUserId || limitNames.every((name) => limits[name] === Infinity);
}

function requireFewerWorkspaces(
  { maxWorkspacesPerUser: max }: WorkspaceLimits,
  use: WorkspaceUse,
): void {
  if (use.workspaces < max) return;
  throw new LimitReached({
    name: "maxWorkspacesPerUser",
    isTemporary: false,
    limit: `${countText(max, "workspace")} per user`,
    used: `${use.owner_name} has ${use.workspaces}`,
    advice: "Delete one that is no longer needed.",
  });
}

function requireFewerRunning(
  { maxRunningWorkspacesPerUser: max }: WorkspaceLimits,
  use: WorkspaceUse,
): void {
  if (use.running < max) return;
  throw new LimitReached({
    name: "maxRunningWorkspacesPerUser",
    isTemporary: false,
    limit: `${max} started workspaces per user`,
    used: `${use.owner_name} has ${use.running} that are not stopped`,
    advice: "Stop one first.",
  });
}

function requireFewerBuilds(
  { maxPendingBuildsPerUser: max }: WorkspaceLimits,
  use: WorkspaceUse,
): void {
  if (use.pending_builds < max) return;
  throw new LimitReached({
    name: "maxPendingBuildsPerUser",
    isTemporary: true,
    limit: `${countText(max, "build")} at once per user`,
    used: `${use.pending_builds} of your builds are queued or running`,
    advice: "Wait until one has finished.",
  });
}

interface WorkspaceUse {
  readonly owner_name: string;
  readonly workspaces: number;
  readonly running: number;
  /** True if the workspace in question is among the running ones. */
  readonly is_running: boolean;
  readonly pending_builds: number;
}

/** Makes other requests for the same users wait until the transaction ends, and counts their current use. */
export async function lockAndCountUse(
  db: Queryable,
  users: { readonly ownerId: string; readonly initiatorId: string },
  workspaceId: string | null,
): Promise<WorkspaceUse> {
  const { rows } = await sql<WorkspaceUse>`
    select used.*, (select username from users where id = ${users.ownerId}) as owner_name
      from lock_and_count_use(${users.ownerId}, ${users.initiatorId}, ${workspaceId}) used`.execute(
    db,
  );
  const [use] = rows;
  if (use === undefined) throw new Error("lock_and_count_use returned no row");
  return use;
}
