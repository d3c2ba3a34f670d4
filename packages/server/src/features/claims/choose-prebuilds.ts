/** The new owner of a prebuild, and its new name. */
export interface NewOwner {
  readonly ownerId: string;
  readonly name: string;
}

/** A locked prebuild, and the owner that it gets. */
export interface PrebuildChange<Owner> {
  readonly workspaceId: string;
  readonly owner: Owner;
}

/** The two statements that claims choose by. A rollback of their transaction undoes both. */
export interface ClaimTransaction<Owner = NewOwner> {
  /**
   * Locks up to `count` of the pool's best prebuilds that are not locked by others: those whose agents are connected
   * before those whose agents are not, then the oldest. Skips those in `except`. Resolves to their ids, best first.
   */
  lockPrebuilds(
    presetId: string,
    wanted: { readonly count: number; readonly except: readonly string[] },
  ): Promise<readonly string[]>;
  /**
   * Gives prebuilds their owners and names if they are still waiting now that they are locked: between the choice and the
   * lock each may have been claimed, deleted, or rebuilt. Resolves to the ids of those that were; changes no other.
   */
  claimPrebuilds(
    presetId: string,
    changes: readonly PrebuildChange<Owner>[],
  ): Promise<ReadonlySet<string>>;
}

/** The number of passed prebuilds after which claims give up; they stay locked until the transaction ends. */
const maxPassed = 16;

/**
 * Chooses prebuilds of a preset's pool and claims one for each of its new owners (docs/claims.md); resolves to their ids in
 * the order of the owners, undefined for those for whom none is waiting. The caller builds for the new owners in the same
 * transaction.
 *
 * Pure but for the transaction that it is given, `sqlClaim` in production: at this seam the simulation runs the same
 * choice on its tables in memory.
 */
export async function choosePrebuilds<Owner extends NewOwner>(
  trx: ClaimTransaction<Owner>,
  presetId: string,
  owners: readonly Owner[],
): Promise<readonly (string | undefined)[]> {
  const chosen = new Map<Owner, string>();
  const passed: string[] = [];
  let left = owners;
  while (left.length > 0 && passed.length < maxPassed) {
    const ids = await trx.lockPrebuilds(presetId, { count: left.length, except: passed });
    if (ids.length === 0) break;
    const changes = left.slice(0, ids.length).map((owner, index) => {
      return { workspaceId: ids[index] ?? "", owner };
    });
    const claimed = await trx.claimPrebuilds(presetId, changes);
    for (const { workspaceId, owner } of changes) {
      if (claimed.has(workspaceId)) chosen.set(owner, workspaceId);
      else passed.push(workspaceId);
    }
    left = left.filter((owner) => !chosen.has(owner));
  }
  return owners.map((owner) => chosen.get(owner));
}
