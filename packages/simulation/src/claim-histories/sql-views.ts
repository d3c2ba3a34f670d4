import {
  findLiveAgent,
  findPredecessor,
  reconcile,
  selectBuildContext,
  selectPool,
  selectPoolIds,
  selectReinitViews,
  sqlClaim,
} from "@slipway/server/claims";

import { inCommonTerms } from "./common-terms.ts";
import { limits, versions } from "./history-world.ts";
import type { Rows } from "./name-rows.ts";
import type { Names } from "./names.ts";
import type { ViewReaders } from "./snapshot.ts";
import type { SqlState } from "./sql-state.ts";

/** Returns readers that run the production statements. */
export function sqlViews(world: SqlState, rows: Rows): ViewReaders {
  const { db, names } = world;
  const tokens = [...new Set(rows.agents.map(({ tokenId }) => tokenId))];
  const hashOf = (token: string): Buffer => Buffer.from(token, "hex");
  return {
    reinit: async () => {
      const views = await selectReinitViews(db, tokens.map(hashOf));
      const entries = tokens.map((token) => {
        const view = views.get(token) ?? { type: "gone" };
        const nowMs = "nowMs" in view ? view.nowMs : 0;
        return [names.name(token), inCommonTerms(view, names, nowMs)] as const;
      });
      return Object.fromEntries(entries);
    },
    live: async () => {
      const found: Record<string, string | null> = {};
      for (const token of tokens) {
        const agent = await findLiveAgent(db, hashOf(token));
        found[names.name(token)] = agent === undefined ? null : names.name(agent.agent_id);
      }
      return found;
    },
    claimable: () => byVersion(names, (presetId) => listClaimable(world, presetId)),
    changeable: () => listChangeable(world, rows),
    pools: () =>
      byVersion(names, async (presetId) => {
        const found = await selectPool(db, presetId);
        if (found === undefined) throw new Error(`no preset ${presetId}`);
        const { snapshot, nowMs } = found;
        const plan = reconcile(snapshot, nowMs, limits);
        return inCommonTerms({ ...snapshot, plan }, names, nowMs);
      }),
    poolsLookedAt: async () => (await selectPoolIds(db)).map((id) => names.name(id)).toSorted(),
    predecessors: () => readPredecessors(world, rows),
  };
}

async function byVersion<T>(
  names: Names,
  read: (presetId: string) => Promise<T>,
): Promise<Readonly<Record<string, T>>> {
  const found: Record<string, T> = {};
  for (const version of versions) found[version] = await read(names.id(`preset of ${version}`));
  return found;
}

const settings = {
  automatic_updates: "never",
  autostart_schedule: null,
  next_start_at: null,
  ttl_ms: 3_600_000,
  on_deadline: "stop",
} as const;

/** The error that rolls a rehearsal back. */
class RehearsalEnd extends Error {
  override readonly name = "RehearsalEnd";
  readonly code = "rehearsed";
}

async function rehearse(
  { db }: SqlState,
  work: (claim: ReturnType<typeof sqlClaim>) => Promise<void>,
): Promise<void> {
  const rehearsal = db.transaction().execute(async (trx) => {
    await work(sqlClaim(trx, { endsAgents: false, waits: true }));
    throw new RehearsalEnd();
  });
  await rehearsal.catch((error: unknown) => {
    if (!(error instanceof RehearsalEnd)) throw error;
  });
}

async function listClaimable(world: SqlState, presetId: string): Promise<readonly string[]> {
  const found: string[] = [];
  await rehearse(world, async (claim) => {
    for (;;) {
      const ids = await claim.lockPrebuilds(presetId, { count: 1, except: found });
      if (ids.length === 0) return;
      found.push(...ids);
    }
  });
  return found.map((id) => world.names.name(id));
}

async function listChangeable(world: SqlState, rows: Rows): Promise<readonly string[]> {
  const { names, stage } = world;
  const changed: string[] = [];
  await rehearse(world, async (claim) => {
    const pools = Map.groupBy(rows.workspaces, ({ presetId }) => presetId);
    const claimed = new Set<string>();
    for (const [presetId, workspaces] of pools) {
      if (presetId === null) continue;
      const changes = workspaces.map(({ id }) => {
        return { workspaceId: id, owner: { ownerId: stage.admin.id, name: `of-${id}`, settings } };
      });
      for (const id of await claim.claimPrebuilds(presetId, changes)) claimed.add(id);
    }
    for (const { id } of rows.workspaces) if (claimed.has(id)) changed.push(names.name(id));
  });
  return changed;
}

async function readPredecessors(
  { db, names }: SqlState,
  { builds }: Rows,
): Promise<Readonly<Record<string, string | null>>> {
  const newest = new Map(builds.map((build) => [build.workspaceId, build]));
  const ids = [...newest.values()].map(({ id }) => id);
  const jobs =
    ids.length === 0
      ? []
      : await db
          .selectFrom("workspace_builds")
          .where("id", "in", ids)
          .select(["id", "job_id"])
          .execute();
  const found: Record<string, string | null> = {};
  for (const { id, job_id: jobId } of jobs) {
    const context = await selectBuildContext(db, jobId);
    const before = context && (await findPredecessor(db, context));
    found[names.name(id)] = before === undefined ? null : names.name(before.buildId);
  }
  return found;
}
