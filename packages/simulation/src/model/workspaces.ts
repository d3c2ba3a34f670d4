import { choosePrebuild } from "@slipway/server/claims";

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

/** Gives a user a workspace that waits in the pool; undefined if there is none. */
export async function claimWorkspace(
  model: Model,
  trx: Transaction,
  { presetId, userId, workspaceName }: NewWorkspace,
): Promise<string | undefined> {
  if (presetId === undefined) return undefined;
  const owner = { ownerId: userId, name: workspaceName };
  const id = await choosePrebuild(model.rules.claim(model.tables, trx), presetId, owner);
  if (id === undefined) return undefined;
  await createClaimBuild(model, trx, id, { ownerId: userId, presetId, initiatorId: userId });
  return id;
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
