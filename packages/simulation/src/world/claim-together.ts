import { type PubSub, topics } from "@slipway/server/claims";

import type { Life } from "../engine/life.ts";
import type { Trace } from "../engine/trace.ts";
import type { Model } from "../model/model.ts";
import { claimWorkspaces, type PooledWorkspace } from "../model/workspaces.ts";
import { Outage } from "../store/errors.ts";
import type { Transaction } from "../store/transaction.ts";

/** The parts of a server's process that claims need. */
interface ClaimingServer {
  readonly model: Model;
  readonly life: Life;
  readonly hints: Pick<PubSub, "publish">;
  readonly trace: Trace;
}

/**
 * Claims for requests that wait at the same time in one transaction, as the server does; undefined for those that are to be
 * served alone.
 */
export async function claimTogether(
  { model, life, hints, trace }: ClaimingServer,
  requests: readonly PooledWorkspace[],
): Promise<readonly (string | undefined)[]> {
  try {
    const claimed = await model.db.transaction(life, async (trx) => {
      const ids = await claimWorkspaces(model, trx, requests, { waits: false });
      for (const [{ userId, presetId }, id] of ids) {
        trace.add(life.name, () => `claims ${id} for ${userId}, one of ${requests.length}`, id);
        hintAtClaim(trx, id, presetId);
      }
      return ids;
    });
    if (claimed.size > 0) hints.publish(topics.jobQueue);
    return requests.map((request) => claimed.get(request));
  } catch (error) {
    if (error instanceof Outage) throw error;
    return requests.map(() => undefined);
  }
}

/** Sends the hints of a claim with its commit. */
export function hintAtClaim(trx: Transaction, id: string, presetId: string): void {
  const hinted = [topics.claim(id), topics.workspace(id), topics.prebuilds(presetId)];
  for (const topic of hinted) trx.notify(topic);
}
