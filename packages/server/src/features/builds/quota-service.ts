import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { countText } from "@slipway/runtime";
import { type RawBuilder, sql, type Transaction } from "kysely";

import type { Limits } from "../../platform/config/limits.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { LimitReached } from "../../platform/errors/limit-reached.ts";

const limitNames = [
  "maxWorkspacesPerUser",
  "maxRunningWorkspacesPerUser",
  "maxPendingBuildsPerUser",
] as const;

export type WorkspaceLimits = Pick<Limits, (typeof limitNames)[number]>;

export interface Subject {
  /** The present or future owner of the workspace: its number and whether it runs count for them. */
  readonly ownerId: string;
  /** The user who requests the build: a queued build counts for them. */
  readonly initiatorId: string;
}

/** The checks for a new workspace and its first build. Each throws `LimitReached` when there is no room. */
export interface Room {
  requireWorkspace(): void;
  requireStart(): void;
  requireBuild(): void;
}

/** The rooms of subjects; a workspace and a start that were required count as used in all rooms of the same owner. */
export interface Rooms {
  /** Returns undefined if others hold the subject's users. */
  of(subject: Subject): Room | undefined;
}

/**
 * Counts what there is room for. Until the transaction ends, other requests for the same owners or by the same initiators
 * wait, so that concurrent requests cannot exceed a limit together. Users held by others are waited for if `waits`, and left
 * out if not.
 */
export async function lockRooms(
  trx: Transaction<DB>,
  limits: WorkspaceLimits,
  subjects: readonly Subject[],
  { waits }: { readonly waits: boolean },
): Promise<Rooms> {
  const limited = subjects.filter((subject) => !isExempt(limits, subject));
  const uses = new Map((await lockUses(trx, limited, waits)).map((use) => [keyOf(use), use]));
  const required = new Map(limited.map(({ ownerId }) => [ownerId, { workspaces: 0, running: 0 }]));
  const roomIn = (use: WorkspaceUse & Subject): Room => {
    const added = required.get(use.ownerId) ?? { workspaces: 0, running: 0 };
    return {
      requireWorkspace: () => {
        requireFewerWorkspaces(limits, { ...use, workspaces: use.workspaces + added.workspaces });
        added.workspaces += 1;
      },
      requireStart: () => {
        requireFewerRunning(limits, { ...use, running: use.running + added.running });
        added.running += 1;
      },
      requireBuild: () => requireFewerBuilds(limits, use),
    };
  };
  return {
    of: (subject) => {
      if (isExempt(limits, subject)) return endlessRoom;
      const use = uses.get(keyOf(subject));
      return use && roomIn(use);
    },
  };
}

const endlessRoom: Room = {
  requireWorkspace: () => {},
  requireStart: () => {},
  requireBuild: () => {},
};

function keyOf({ ownerId, initiatorId }: Subject): string {
  return `${ownerId} ${initiatorId}`;
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

/** Counts the use of each subject whose users are there; makes other requests for them wait until the transaction ends. */
async function lockUses(
  db: Queryable,
  subjects: readonly Subject[],
  waits: boolean,
): Promise<readonly (WorkspaceUse & Subject)[]> {
  if (subjects.length === 0) return [];
  const distinct = [...new Map(subjects.map((subject) => [keyOf(subject), subject])).values()];
  const owners = distinct.map(({ ownerId }) => ownerId);
  const initiators = distinct.map(({ initiatorId }) => initiatorId);
  return (waits ? usesOfAll : usesOfUnlocked)(db, owners, initiators);
}

const usesOfAll = usesOf(sql``);
const usesOfUnlocked = usesOf(sql`skip locked`);

/** Returns the statement; the users are locked in the order in which all do. */
function usesOf(ifLocked: RawBuilder<unknown>) {
  return prepareQuery(
    (_, owners: readonly string[], initiators: readonly string[]) => sql<WorkspaceUse & Subject>`
      with locked as materialized (
        select id, username from users where id = any(${owners}::uuid[] || ${initiators}::uuid[])
          order by id for no key update ${ifLocked})
      select owner.id as "ownerId", initiator.id as "initiatorId", owner.username as owner_name, used.*
        from unnest(${owners}::uuid[], ${initiators}::uuid[]) wanted (owner_id, initiator_id)
          join locked owner on owner.id = wanted.owner_id
          join locked initiator on initiator.id = wanted.initiator_id
          cross join lateral lock_and_count_use(owner.id, initiator.id, null) used`,
  );
}
