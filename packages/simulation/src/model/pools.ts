import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { PoolSnapshot, Prebuild, Reconciliation } from "@slipway/server/claims";

import type { Transaction } from "../store/transaction.ts";
import { cancelBuild, createBuild } from "./builds.ts";
import type { Model } from "./model.ts";
import { jobStatus } from "./view.ts";

/** Lists the presets whose pools may need work: those that should fill up, and those that are not empty. */
export function selectPoolIds(model: Model, trx: Transaction): readonly string[] {
  const { templates, presets, workspaces } = model.tables;
  const active = new Set(trx.all(templates).map(({ activeVersionId }) => activeVersionId));
  const filled = new Set(
    trx
      .all(workspaces)
      .flatMap(({ deleted, prebuildPresetId }) => (deleted ? [] : (prebuildPresetId ?? []))),
  );
  return trx
    .all(presets)
    .filter(({ id, versionId }) => active.has(versionId) || filled.has(id))
    .map(({ id }) => id);
}

/** Reads a pool and its content. */
export function selectPool(model: Model, trx: Transaction, presetId: string): PoolSnapshot {
  const { presets, templates, workspaces } = model.tables;
  const preset = trx.get(presets, presetId);
  if (preset === undefined) throw new Error(`no preset ${presetId}`);
  const isActive = trx
    .all(templates)
    .some(({ activeVersionId }) => activeVersionId === preset.versionId);
  return {
    pool: {
      presetId,
      isActive,
      desiredInstances: preset.desiredInstances,
      schedulingTimezone: "",
      windows: [],
      expireAfterMs: preset.invalidateAfterMs === 0 ? undefined : preset.invalidateAfterMs,
      lastInvalidatedAtMs: preset.lastInvalidatedAtMs,
      status: preset.status,
    },
    prebuilds: trx
      .all(workspaces)
      .filter(
        ({ prebuildPresetId, ownerId, deleted }) =>
          prebuildPresetId === presetId && ownerId === prebuildsUserId && !deleted,
      )
      .toSorted((a, b) => a.createdAtMs - b.createdAtMs)
      .flatMap(({ id, createdAtMs }) => prebuildOf(model, trx, id, createdAtMs, preset.versionId)),
  };
}

function prebuildOf(
  model: Model,
  trx: Transaction,
  workspaceId: string,
  createdAtMs: number,
  versionId: string,
): readonly Prebuild[] {
  const view = model.view(trx);
  const newest = view.newest(workspaceId);
  if (newest === undefined) return [];
  const agents = view.rootAgents(newest.id);
  const { transition } = newest;
  return [
    {
      workspaceId,
      createdAtMs,
      build: {
        transition,
        status: jobStatus(newest),
        createdAtMs: newest.createdAtMs,
        isOfVersion: newest.versionId === versionId,
      },
      isReady: agents.length > 0 && agents.every(({ lifecycle }) => lifecycle === "ready"),
    },
  ];
}

/** Carries out the reconciler's plan in its transaction; resolves to the rows that it removed and created. */
export async function carryOut(
  model: Model,
  trx: Transaction,
  presetId: string,
  plan: Pick<Reconciliation, "held" | "remove" | "create">,
): Promise<{ readonly removed: readonly string[]; readonly made: readonly string[] }> {
  const status = plan.held === "hard-limited" ? ("hard_limited" as const) : ("healthy" as const);
  if (trx.get(model.tables.presets, presetId)?.status !== status) {
    await trx.run(() => trx.update(model.tables.presets, presetId, () => ({ status })));
  }
  const removed: string[] = [];
  for (const workspaceId of plan.remove) {
    if (await removePrebuild(model, trx, workspaceId)) removed.push(workspaceId);
  }
  const made: string[] = [];
  while (made.length < plan.create) made.push(await createPrebuild(model, trx, presetId));
  return { removed, made };
}

/** Makes a workspace of the system user and queues its first build. */
async function createPrebuild(model: Model, trx: Transaction, presetId: string): Promise<string> {
  const { presets, templates, workspaces } = model.tables;
  const id = model.ids.next("w");
  const versionId = await trx.run(() => {
    const preset = trx.get(presets, presetId);
    const [template] = trx.all(templates);
    if (preset === undefined || template === undefined) throw new Error("no template");
    trx.insert(workspaces, {
      id,
      ownerId: prebuildsUserId,
      name: `prebuild-${id}`,
      templateId: template.id,
      prebuildPresetId: presetId,
      deleted: false,
      createdAtMs: trx.nowMs,
    });
    return preset.versionId;
  });
  const initiatorId = prebuildsUserId;
  await createBuild(model, trx, id, {
    ownerId: prebuildsUserId,
    transition: "start",
    versionId,
    presetId,
    initiatorId,
  });
  return id;
}

/** Deletes a prebuild; false if another transaction holds it: a claim or a build. */
async function removePrebuild(
  model: Model,
  trx: Transaction,
  workspaceId: string,
): Promise<boolean> {
  const { workspaces } = model.tables;
  const isLocked = await trx.run(() => {
    const row = trx.get(workspaces, workspaceId);
    const isOurs = row?.ownerId === prebuildsUserId && !row.deleted;
    if (!isOurs || !trx.tryLock(workspaces, workspaceId)) return false;
    return trx.get(workspaces, workspaceId)?.ownerId === prebuildsUserId;
  });
  if (!isLocked) return false;
  const newest = await trx.run(() => model.view(trx).newest(workspaceId));
  if (newest === undefined) return false;
  if (newest.completedAtMs === undefined) {
    if (newest.workerId !== undefined) return false;
    await trx.run(() => cancelBuild(model, trx, newest.id));
    if (trx.get(model.tables.builds, newest.id)?.completedAtMs === undefined) return false;
  }
  await createBuild(model, trx, workspaceId, {
    ownerId: prebuildsUserId,
    transition: "delete",
    initiatorId: prebuildsUserId,
  });
  return true;
}
