import { nameProblem } from "@slipway/api/contract/name";
import type { Transaction } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden, invalidField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { diffOf, recordAudit } from "../audit/service.ts";
import { dropDeadline, extendDeadline, noteActivity } from "../builds/deadline-service.ts";
import { lockAuthorized } from "../builds/lock-service.ts";
import type { WorkspaceRow } from "./queries.ts";
import { readAutostart, readTtl, requireOwnAutostart, requireOwnTtl } from "./schedule.ts";
import {
  describeWorkspace,
  nameTaken,
  refusePrebuild,
  requireChangeable,
  requireStillThere,
  type WorkspaceNeeds,
  writesName,
} from "./service.ts";
import { updateAutostart, updateSettings } from "./settings-queries.ts";

/**
 * Writes an authorized change of a workspace with its audit entry, then notifies its watchers; does neither if nothing changes.
 * `follow` changes what depends on the settings, and resolves to false if that stays as it is.
 */
async function change(
  { db, pubsub }: WorkspaceNeeds,
  caller: UserCaller,
  row: WorkspaceRow,
  after: Readonly<Record<string, unknown>>,
  write: (trx: Transaction<DB>) => Promise<void>,
  follow: (trx: Transaction<DB>) => Promise<boolean> = async () => false,
): Promise<void> {
  const isChanged = await inTransaction(db, async (trx) => {
    await lockAuthorized(trx, { id: row.id, ownerId: row.owner_id });
    const before = await requireStillThere(trx, row.id);
    const diff = diffOf({ ...before }, after);
    const isOther = Object.keys(diff).length > 0;
    if (isOther) await write(trx);
    if (!(await follow(trx)) && !isOther) return false;
    await recordAudit(trx, {
      by: caller,
      organizationId: row.organization_id,
      action: "write",
      resourceType: "workspace",
      resourceId: row.id,
      target: before.name,
      diff,
      fields: { workspace_owner: row.owner_name },
    });
    return true;
  });
  if (isChanged) pubsub.publish(topics.workspace(row.id));
}

/**
 * Reads the row of a workspace whose settings the caller may change; throws what `requireChangeable` does, and
 * `Conflict` for a prebuild.
 */
async function requireSettable(
  db: Queryable,
  caller: UserCaller,
  id: string,
): Promise<WorkspaceRow> {
  const row = await requireChangeable(db, caller, id);
  refusePrebuild(row);
  return row;
}

/** Renames a workspace; throws `Invalid` for an invalid name, `Conflict` for a taken one. */
export async function renameWorkspace(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  name: string | undefined,
): Promise<void> {
  const row = await requireSettable(needs.db, caller, id);
  if (name === undefined || name === "" || name === row.name) return;
  const problem = nameProblem(name);
  if (problem !== undefined) throw invalidField("name", problem);
  await change(needs, caller, row, { name }, (trx) => updateSettings(trx, row.id, { name })).catch(
    (error: unknown) => {
      throw writesName(error) ? nameTaken(name) : error;
    },
  );
}

/** Marks a workspace as a favorite of its owner, who alone may do so. */
export async function setFavorite(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  favorite: boolean,
): Promise<void> {
  const row = await requireChangeable(needs.db, caller, id);
  if (row.owner_id !== caller.id) {
    throw forbidden("You can only favorite workspaces that you own.");
  }
  if (row.favorite === favorite) return;
  await change(needs, caller, row, { favorite }, (trx) =>
    updateSettings(trx, row.id, { favorite }),
  );
}

export async function setAutomaticUpdates(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  automatic_updates: WorkspaceRow["automatic_updates"],
): Promise<void> {
  const row = await requireSettable(needs.db, caller, id);
  await change(needs, caller, row, { automatic_updates }, (trx) =>
    updateSettings(trx, row.id, { automatic_updates }),
  );
}

/**
 * Sets the time to live from the next start on. Clearing it also clears the deadline of what is running now, and keeps a
 * workspace that was to be deleted.
 */
export async function setTtl(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  ttlMs: number | null | undefined,
): Promise<void> {
  const row = await requireSettable(needs.db, caller, id);
  const ttl_ms = readTtl(ttlMs) ?? null;
  requireOwnTtl(templateTerms(row), ttl_ms);
  const changes = ttl_ms === null ? ({ ttl_ms, on_deadline: "stop" } as const) : { ttl_ms };
  await change(
    needs,
    caller,
    row,
    changes,
    (trx) => updateSettings(trx, row.id, changes),
    async (trx) => ttl_ms === null && (await dropDeadline(trx, row.id)),
  );
}

/** Returns the terms of a workspace's template for the schedules of its owner. */
function templateTerms(row: WorkspaceRow) {
  return {
    name: row.template_name,
    default_ttl_ms: row.template_default_ttl_ms,
    allow_user_autostart: row.template_allow_user_autostart,
    allow_user_autostop: row.template_allow_user_autostop,
  };
}

export async function setAutostart(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  schedule: string | null | undefined,
): Promise<void> {
  const row = await requireSettable(needs.db, caller, id);
  const autostart = readAutostart(schedule, needs.clock.now());
  requireOwnAutostart(templateTerms(row), autostart);
  const after = { autostart_schedule: autostart?.schedule ?? null };
  await change(needs, caller, row, after, (trx) => updateAutostart(trx, row.id, autostart));
}

/** Sets another deadline for a running workspace; false when it is unchanged. */
export async function extendWorkspace(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
  deadline: string,
): Promise<boolean> {
  const row = await requireSettable(needs.db, caller, id);
  const now = needs.clock.now();
  const isNew = await inTransaction(needs.db, async (trx) => {
    await lockAuthorized(trx, { id: row.id, ownerId: row.owner_id });
    const { latest_build: build } = await describeWorkspace(trx, row, now);
    if (!(await extendDeadline(trx, build, deadline, now))) return false;
    await recordAudit(trx, {
      by: caller,
      organizationId: row.organization_id,
      action: "write",
      resourceType: "workspace_build",
      resourceId: build.id,
      target: row.name,
      diff: diffOf({ deadline: build.deadline }, { deadline }),
      fields: { workspace_owner: row.owner_name, build_number: build.build_number },
    });
    return true;
  });
  if (isNew) needs.pubsub.publish(topics.workspace(row.id));
  return isNew;
}

/** Records that the workspace is in use. */
export async function noteUsage(
  needs: WorkspaceNeeds,
  caller: UserCaller,
  id: string,
): Promise<void> {
  const row = await requireChangeable(needs.db, caller, id);
  await inTransaction(needs.db, async (trx) => {
    await lockAuthorized(trx, { id: row.id, ownerId: row.owner_id });
    await noteActivity(trx, row.id);
  });
  needs.pubsub.publish(topics.workspace(row.id));
}
