import type { ClaimTransaction } from "@slipway/server/claims";

import type { Transaction } from "../store/transaction.ts";
import type { Tables, WorkspaceRow } from "./tables.ts";
import { View } from "./view.ts";

/**
 * Makes the claims' part of a transaction in memory. Choosing and locking are two steps: a statement of PostgreSQL sees
 * other tables as of its start, however late it gets the lock.
 */
export function memoryClaim(
  trx: Transaction,
  tables: Tables,
  { waits }: { readonly waits: boolean },
): ClaimTransaction {
  const view = new View(tables, trx);
  return {
    async lockPrebuilds(presetId, { count, except }) {
      const candidates = await trx.run(() =>
        trx
          .all(tables.workspaces)
          .filter(({ id }) => !except.includes(id) && view.isWaiting(id, presetId, trx.nowMs))
          .toSorted(bestFirst(view, trx.nowMs)),
      );
      const free = await trx.run(() =>
        candidates
          .values()
          .filter(
            ({ id, ownerId }) =>
              trx.tryLock(tables.workspaces, id) && view.workspace(id)?.ownerId === ownerId,
          )
          .take(count)
          .map(({ id }) => id)
          .toArray(),
      );
      return free.length > 0 || !waits ? free : waitForOne(trx, tables, presetId, except);
    },
    async claimPrebuilds(presetId, changes) {
      const claimed = await trx.run(() =>
        changes.filter(({ workspaceId, owner: { ownerId, name } }) =>
          trx.update(tables.workspaces, workspaceId, () =>
            view.isWaiting(workspaceId, presetId, trx.nowMs)
              ? { ownerId, name, prebuildPresetId: undefined }
              : undefined,
          ),
        ),
      );
      return new Set(claimed.map(({ workspaceId }) => workspaceId));
    },
  };
}

/** Locks the oldest row that others have locked, once they release it. A statement that had to wait reads again. */
function waitForOne(
  trx: Transaction,
  tables: Tables,
  presetId: string,
  except: readonly string[],
): Promise<readonly string[]> {
  const view = new View(tables, trx);
  return trx.run(() => {
    const [oldest] = trx
      .all(tables.workspaces)
      .filter(({ id }) => !except.includes(id) && view.isWaiting(id, presetId, trx.nowMs))
      .toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    if (oldest !== undefined) trx.lock(tables.workspaces, oldest.id);
    return oldest === undefined ? [] : [oldest.id];
  });
}

/** Orders connected before not connected, then by age, the oldest first. */
function bestFirst(view: View, nowMs: number): (a: WorkspaceRow, b: WorkspaceRow) => number {
  return (a, b) =>
    Number(view.isConnected(b.id, nowMs)) - Number(view.isConnected(a.id, nowMs)) ||
    a.createdAtMs - b.createdAtMs;
}
