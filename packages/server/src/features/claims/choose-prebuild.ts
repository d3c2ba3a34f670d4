/** The new owner of a prebuild, and its new name. */
export interface NewOwner {
  readonly ownerId: string;
  readonly name: string;
}

/** The two statements that a claim chooses by. A rollback of their transaction undoes both. */
export interface ClaimTransaction {
  /**
   * Locks the best prebuild of the pool that is not locked by others: one whose agents are connected before one whose
   * agents are not, then the oldest. If others hold all of them, waits a while for one to be released. Skips those in
   * `except`; undefined when there is no other.
   */
  lockPrebuild(presetId: string, except: readonly string[]): Promise<string | undefined>;
  /**
   * Gives it owner and name if it is still waiting now that it is locked: between the choice and the lock it may have
   * been claimed, deleted, or rebuilt. Otherwise returns false and changes nothing.
   */
  claimPrebuild(workspaceId: string, presetId: string, owner: NewOwner): Promise<boolean>;
}

/** The most prebuilds that one claim passes over; they stay locked until it ends. */
const maxPassed = 16;

/**
 * Chooses a prebuild of a preset's pool and claims it for its new owner (docs/claims.md); resolves to its id, or to
 * undefined when none is waiting. The caller builds for the new owner in the same transaction.
 *
 * Pure but for the transaction that it is given, `sqlClaim` in production: at this seam the simulation runs the same
 * choice on its tables in memory.
 */
export async function choosePrebuild(
  trx: ClaimTransaction,
  presetId: string,
  owner: NewOwner,
): Promise<string | undefined> {
  const passed: string[] = [];
  while (passed.length < maxPassed) {
    const id = await trx.lockPrebuild(presetId, passed);
    if (id === undefined) return undefined;
    if (await trx.claimPrebuild(id, presetId, owner)) return id;
    passed.push(id);
  }
  return undefined;
}
