import { allOf, topics } from "@slipway/server/claims";

import { carryOut, selectPool, selectPoolIds } from "../model/pools.ts";
import { looks } from "./looks.ts";
import type { ServerProcess } from "./server-process.ts";

/** The limits; intervals are shorter than the product's to fit into a world of minutes. */
const limits = { backoffMs: 5_000, lookbackMs: 60_000, failureHardLimit: 0 };
const intervalMs = 15_000;

/** Keeps the pools filled with the product's own decision, as its reconciler does; one server at a time. */
export async function runReconciler(server: ServerProcess): Promise<void> {
  const { model, life } = server;
  for await (const _ of looks(server, allOf("prebuilds"), intervalMs)) {
    try {
      for (const presetId of await model.db.query(life, (trx) => selectPoolIds(model, trx))) {
        if (!(await reconcileOne(server, presetId))) break;
      }
    } catch {
      // The next reconciliation follows soon.
    }
  }
}

/** Returns false when another server is reconciling. */
async function reconcileOne(server: ServerProcess, presetId: string): Promise<boolean> {
  const { model, life, trace, setting } = server;
  return model.db.transaction(life, async (trx) => {
    if (!(await trx.run(() => trx.tryAdvisoryLock("pools")))) return false;
    const snapshot = await trx.run(() => selectPool(model, trx, presetId));
    const plan = model.rules.reconcile(snapshot, trx.nowMs, limits);
    setting.tell((monitor) => monitor.planned?.(snapshot, plan));
    const { removed, made } = await carryOut(model, trx, presetId, plan);
    for (const id of removed) trace.add(life.name, () => `removes ${id}`, id);
    for (const id of made)
      trace.add(life.name, () => `makes ${id} for the pool of ${presetId}`, id);
    trx.notify(topics.jobQueue);
    return true;
  });
}
