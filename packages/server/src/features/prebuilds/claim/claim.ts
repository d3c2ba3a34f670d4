/** Whose a prebuild becomes, and under which name. */
export interface NewOwner {
  readonly ownerId: string;
  readonly name: string;
}

/** What a claim asks of its transaction. All of it is undone when that is rolled back. */
export interface ClaimTransaction {
  /**
   * Locks the best prebuild of the pool that nobody else has locked: one whose agents are connected before one whose agents
   * are not, then the oldest. Where others hold all of them, waits a while for one to be given back. Leaves out those in
   * `except`; undefined when there is no other.
   */
  lockPrebuild(presetId: string, except: readonly string[]): Promise<string | undefined>;
  /**
   * Gives it owner and name if it still waits, as it is now that it is locked: between the choice and the lock it may have
   * been claimed, deleted, or built again. False, and nothing is changed, when it does not.
   */
  changeOwner(workspaceId: string, presetId: string, owner: NewOwner): Promise<boolean>;
}

/** Most prebuilds that one claim passes over; they stay locked for as long as it lasts. */
const maxPassed = 16;

/**
 * Takes a prebuild out of the pool of a preset and gives it to a user (docs/claims.md); resolves to its id, or to undefined
 * when none waits. The caller builds for the new owner in the same transaction.
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
