import { selectPool, selectPoolIds } from "../model/pools.ts";
import type { Transaction } from "../store/transaction.ts";
import { inCommonTerms } from "./common-terms.ts";
import { limits, versions } from "./history-world.ts";
import type { ModelState } from "./model-state.ts";
import type { ViewReaders } from "./snapshot.ts";

/** Returns the readers of the model's views. */
export function modelViews(world: ModelState): ViewReaders {
  const { model, names, nowMs } = world;
  const view = model.committed;
  const workspaces = model.tables.workspaces.all();
  const tokens = [...new Set(model.tables.agents.all().map(({ token }) => token))];
  const nameOf = (row: { readonly id: string } | undefined): string | null =>
    row === undefined ? null : names.name(row.id);
  const byToken = <T>(read: (token: string) => T): Readonly<Record<string, T>> =>
    Object.fromEntries(tokens.map((token) => [names.name(token), read(token)]));
  return {
    reinit: async () =>
      byToken((token) => inCommonTerms(model.rules.look(view, token, nowMs, past), names, nowMs)),
    live: async () => byToken((token) => nameOf(view.liveAgent(token))),
    claimable: () => byVersion((presetId) => listClaimable(world, presetId)),
    changeable: async () =>
      workspaces
        .filter(({ id, prebuildPresetId: preset = "" }) => view.isWaiting(id, preset, nowMs))
        .map(({ id }) => names.name(id)),
    pools: () =>
      byVersion(async (presetId) => {
        const snapshot = await world.query((trx) => selectPool(model, trx, presetId));
        const plan = model.rules.reconcile(snapshot, nowMs, limits);
        return inCommonTerms({ ...snapshot, plan }, names, nowMs);
      }),
    poolsLookedAt: async () => {
      const ids = await world.query((trx) => selectPoolIds(model, trx));
      return ids.map((id) => names.name(id)).toSorted();
    },
    predecessors: async () =>
      Object.fromEntries(
        workspaces.flatMap(({ id }) => {
          const newest = view.newest(id);
          if (newest === undefined) return [];
          return [[names.name(newest.id), nameOf(model.rules.predecessor(view, newest))]];
        }),
      ),
  };
}

const past = { first: undefined, isHinted: false };

async function byVersion<T>(
  read: (presetId: string) => Promise<T>,
): Promise<Readonly<Record<string, T>>> {
  const found: Record<string, T> = {};
  for (const version of versions) found[version] = await read(`preset of ${version}`);
  return found;
}

function listClaimable(world: ModelState, presetId: string): Promise<readonly string[]> {
  const { model, names } = world;
  return world.transaction(async (trx: Transaction) => {
    const claim = model.rules.claim(model.tables, trx, { waits: true });
    const found: string[] = [];
    for (;;) {
      const ids = await claim.lockPrebuilds(presetId, { count: 1, except: found });
      if (ids.length === 0) return found.map((one) => names.name(one));
      found.push(...ids);
    }
  });
}
