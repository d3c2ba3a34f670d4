/** The new owner of a prebuild, and its new name. */
export interface NewOwner {
  readonly ownerId: string;
  readonly name: string;
}

/** What taking a prebuild needs of the claim's transaction. A rollback undoes all of it. */
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
  changeOwner(workspaceId: string, presetId: string, owner: NewOwner): Promise<boolean>;
}

/** The most prebuilds that one claim passes over; they stay locked until it ends. */
const maxPassed = 16;

/**
 * Takes a prebuild out of the pool of a preset and gives it to a user (docs/claims.md); resolves to its id, or to
 * undefined when none is waiting. The caller builds for the new owner in the same transaction.
 */
export async function takePrebuild(
  trx: ClaimTransaction,
  presetId: string,
  owner: NewOwner,
): Promise<string | undefined> {
  const passed: string[] = [];
  while (passed.length < maxPassed) {
    const id = await trx.lockPrebuild(presetId, passed);
    if (id === undefined) return undefined;
    if (await trx.changeOwner(id, presetId, owner)) return id;
    passed.push(id);
  }
  return undefined;
}
