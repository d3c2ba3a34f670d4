import { choosePrebuilds } from "@slipway/server/claims";

import type { Transaction } from "../store/transaction.ts";
import { createBuild, createClaimBuild, RefusalError } from "./builds.ts";
import type { Model } from "./model.ts";

/** A user's request for a new workspace. */
export interface NewWorkspace {
  readonly userId: string;
  readonly workspaceName: string;
  /** A preset with a pool. */
  readonly presetId: string | undefined;
}

/** A request that a pool can serve. */
export type PooledWorkspace = NewWorkspace & { readonly presetId: string };

export function isPooled(wanted: NewWorkspace): wanted is PooledWorkspace {
  return wanted.presetId !== undefined;
}

/** Gives users workspaces that wait in their pools; requests for which none waits have none. */
export async function claimWorkspaces<Wanted extends PooledWorkspace>(
  model: Model,
  trx: Transaction,
  wanted: readonly Wanted[],
  options: { readonly waits: boolean },
): Promise<ReadonlyMap<Wanted, string>> {
  const claimed = new Map<Wanted, string>();
  const claim = model.rules.claim(model.tables, trx, options);
  for (const [presetId, ofPool] of Map.groupBy(wanted, (one) => one.presetId)) {
    const owners = ofPool.map(({ userId, workspaceName }) => {
      return { ownerId: userId, name: workspaceName };
    });
    const ids = await choosePrebuilds(claim, presetId, owners);
    for (const [index, one] of ofPool.entries()) {
      const id = ids[index];
      if (id === undefined) continue;
      const { userId } = one;
      await createClaimBuild(model, trx, id, { ownerId: userId, presetId, initiatorId: userId });
      claimed.set(one, id);
    }
  }
  return claimed;
}

/** Creates a workspace of the active version and queues its first build. */
export async function insertWorkspace(
  model: Model,
  trx: Transaction,
  { userId, workspaceName, presetId }: NewWorkspace,
): Promise<string> {
  const [template] = await trx.run(() => trx.all(model.tables.templates));
  if (template === undefined) throw new RefusalError("no template");
  const id = model.ids.next("w");
  await trx.run(() =>
    trx.insert(model.tables.workspaces, {
      id,
      ownerId: userId,
      name: workspaceName,
      templateId: template.id,
      prebuildPresetId: undefined,
      deleted: false,
      createdAtMs: trx.nowMs,
    }),
  );
  const { activeVersionId: versionId } = template;
  await createBuild(model, trx, id, {
    ownerId: userId,
    transition: "start",
    versionId,
    presetId,
    initiatorId: userId,
  });
  return id;
}
