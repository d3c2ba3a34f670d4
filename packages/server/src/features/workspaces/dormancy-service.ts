import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { Transaction } from "kysely";

import type { DB } from "../../platform/db/gen/schema.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { type AuditEntry, diffOf, recordAudit } from "../audit/service.ts";
import { lockAuthorized } from "../builds/lock-service.ts";
import { selectLastBuild } from "../builds/queries.ts";
import { writeDeletionNotice, writeDormancyNotice } from "../notifications/dormancy-service.ts";
import { deletionOf } from "./dormant-deletion.ts";
import type { WorkspaceRow } from "./queries.ts";
import {
  describeWorkspace,
  refusePrebuild,
  requireChangeable,
  requireStillThere,
  type WorkspaceNeeds,
} from "./service.ts";
import { updateDormantAt, updateLastDay } from "./settings-queries.ts";

/**
 * Makes a workspace dormant, which stops it, or activates it; undefined when it is unchanged. Throws `Conflict` when
 * the workspace to activate is being deleted.
 */
export async function setDormant(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  dormant: boolean,
): Promise<Workspace | undefined> {
  const { db, pubsub, clock } = needs;
  const row = await requireChangeable(db, caller, id);
  refusePrebuild(row);
  const now = clock.now();
  const changed = await inTransaction(db, async (trx) => {
    await lockAuthorized(trx, { id: row.id, ownerId: row.owner_id });
    const current = await requireStillThere(trx, row.id);
    if ((current.dormant_at !== null) === dormant) return undefined;
    if (dormant) return { isNotified: await suspend(trx, current, caller, now) };
    await activate(trx, current, caller);
    return { isNotified: false };
  });
  if (changed === undefined) return undefined;
  pubsub.publish(topics.workspace(row.id));
  if (changed.isNotified) pubsub.publish(topics.inbox(row.owner_id));
  return describeWorkspace(db, await requireChangeable(db, caller, id), now);
}

/** Makes a workspace dormant; resolves to whether its owner gets a message: not about what they did themselves. */
async function suspend(
  trx: Transaction<DB>,
  row: WorkspaceRow,
  caller: UserCaller,
  now: number,
): Promise<boolean> {
  const deletingAt = await writeDormant(trx, row, now, { by: caller });
  if (caller.id === row.owner_id && deletingAt === undefined) return false;
  await writeDormancyNotice(trx, ownedBy(row), { isUnused: false, deletingAt });
  return true;
}

async function activate(trx: Transaction<DB>, row: WorkspaceRow, by: UserCaller): Promise<void> {
  const last = await selectLastBuild(trx, row.id);
  if (last?.transition === "delete" && last.completed_at === null) {
    throw new Conflict(`Workspace "${row.name}" is being deleted.`, {
      detail: "Cancel its build, then activate it.",
    });
  }
  await updateDormantAt(trx, row.id, null);
  const before = { dormant_at: row.dormant_at, deleting_at: deletingAtOf(row) };
  await recordChange(trx, row, {
    by,
    diff: diffOf(before, { dormant_at: null, deleting_at: null }),
  });
}

/**
 * Makes a workspace dormant that was unused for the time that its template allows, in the caller's transaction; its owner
 * gets a message.
 */
export async function makeDormant(
  trx: Transaction<DB>,
  row: WorkspaceRow,
  now: number,
): Promise<void> {
  const by = { id: row.owner_id, origin: undefined };
  const deletingAt = await writeDormant(trx, row, now, { by, reason: "dormancy" });
  await writeDormancyNotice(trx, ownedBy(row), { isUnused: true, deletingAt });
}

/** Makes a workspace dormant; resolves to the time when it will be deleted. */
async function writeDormant(
  trx: Transaction<DB>,
  row: WorkspaceRow,
  now: number,
  { by, reason }: { readonly by: AuditEntry["by"]; readonly reason?: "dormancy" },
): Promise<number | undefined> {
  const time = timestampFromMs(now);
  await updateDormantAt(trx, row.id, time);
  const after = { ...row, dormant_at: time, last_day_at: time };
  const diff = diffOf({}, { dormant_at: time, deleting_at: deletingAtOf(after) });
  await recordChange(trx, row, { by, diff, reason });
  return deletionOf(after)?.at;
}

/** Begins the last day of a dormant workspace, at whose end it is deleted; its owner gets a message. */
export async function announceDeletion(
  trx: Transaction<DB>,
  row: WorkspaceRow,
  now: number,
): Promise<void> {
  const time = timestampFromMs(now);
  await updateLastDay(trx, row.id, time);
  const after = { ...row, last_day_at: time };
  const deletion = deletionOf(after);
  if (deletion === undefined) return;
  await recordChange(trx, row, {
    by: { id: row.owner_id, origin: undefined },
    diff: diffOf({ deleting_at: deletingAtOf(row) }, { deleting_at: deletingAtOf(after) }),
    reason: "dormancy",
  });
  await writeDeletionNotice(trx, ownedBy(row), deletion.at);
}

function recordChange(
  trx: Transaction<DB>,
  row: WorkspaceRow,
  {
    by,
    diff,
    reason,
  }: Pick<AuditEntry, "by" | "diff"> & { readonly reason?: "dormancy" | undefined },
): Promise<void> {
  return recordAudit(trx, {
    by,
    organizationId: row.organization_id,
    action: "write",
    resourceType: "workspace",
    resourceId: row.id,
    target: row.name,
    diff,
    fields: {
      workspace_owner: row.owner_name,
      ...(reason === undefined ? {} : { build_reason: reason }),
    },
  });
}

function deletingAtOf(row: WorkspaceRow): string | null {
  const deletion = deletionOf(row);
  return deletion === undefined ? null : timestampFromMs(deletion.at);
}

function ownedBy({ owner_id: ownerId, id, name }: WorkspaceRow) {
  return { ownerId, id, name };
}
