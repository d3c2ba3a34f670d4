import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type RawBuilder, type Selectable, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { isOneOfFew } from "../../platform/db/one-of-few.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { withLockTimeout } from "../../platform/db/transaction.ts";
import { endOfLife, newestBuild } from "../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";
import { isConnected } from "../agents/agent-status.ts";
import { type OrphanProcess, orphanProcesses } from "../agents/orphan-service.ts";
import { type EndedAgent, endingAgents } from "../agents/queries.ts";
import { subjectColumns } from "../builds/build-context.ts";
import { keepsTemplate, keepsUser } from "../builds/lock-service.ts";
import { driverResources } from "../builds/queries.ts";
import type { SettingsColumns } from "../workspaces/queries.ts";
import type { ClaimTransaction, NewOwner, PrebuildChange } from "./choose-prebuilds.ts";

/** The new owner of a prebuild, its new name, and its new settings. */
export interface ClaimOwner extends NewOwner {
  readonly settings: SettingsColumns;
}

/** The terms on which users claim prebuilds of a preset. */
export interface ClaimTerms {
  /** True if the claims end the agents, because their builds take over the agents' processes at once. */
  readonly endsAgents: boolean;
  /** True if the transaction may wait a while for a prebuild that others hold, when there is no other. */
  readonly waits: boolean;
}

/** The basis of a claim's build: the claimed workspace, and the build that its agents belong to. */
export interface ClaimedPrebuild extends Omit<ClaimedRow, "ended_agents"> {
  /** The processes of the root agents that ended, by name. */
  readonly processes: ReadonlyMap<string, OrphanProcess>;
}

/** A claim transaction on PostgreSQL. */
export interface SqlClaim extends ClaimTransaction<ClaimOwner> {
  /** The prebuilds claimed so far, by id. */
  readonly claimed: ReadonlyMap<string, ClaimedPrebuild>;
}

/** Returns the claim transaction, on PostgreSQL. */
export function sqlClaim(trx: Queryable, { endsAgents, waits }: ClaimTerms): SqlClaim {
  const claimed = new Map<string, ClaimedPrebuild>();
  return {
    claimed,
    lockPrebuilds: async (presetId, { count, except }) => {
      const found = await lockUnlocked(trx, presetId, count, except);
      return found.length > 0 || !waits ? found : waitForOne(trx, presetId, except);
    },
    claimPrebuilds: async (presetId, changes) => {
      const found = await claimPrebuilds(trx, presetId, changes, endsAgents);
      for (const one of found) claimed.set(one.workspace_id, one);
      return new Set(found.map(({ workspace_id: id }) => id));
    },
  };
}

/** The owner of a new workspace, as its agents are told. */
interface FutureOwner {
  readonly owner_id: string;
  readonly owner_username: string;
  readonly owner_name: string;
  readonly owner_email: string;
}

/** Selects the owners of new workspaces whose names are free, by the place of the workspace in the list. */
export async function selectOwners(
  db: Queryable,
  wanted: readonly NewOwner[],
): Promise<ReadonlyMap<number, FutureOwner>> {
  const ids = wanted.map(({ ownerId }) => ownerId);
  const names = wanted.map(({ name }) => name);
  const rows = await ownersOfFreeNames(db, ids, names);
  return new Map(rows.map(({ place, ...owner }) => [place - 1, owner]));
}

const ownersOfFreeNames = prepareQuery(
  (_, ids: readonly string[], names: readonly string[]) => sql<
    FutureOwner & { readonly place: number }
  >`
    select wanted.place, owner.id as owner_id, owner.username as owner_username, owner.name as owner_name,
        owner.email as owner_email
      from unnest(${ids}::uuid[], ${names}::text[]) with ordinality wanted (owner_id, name, place)
        join users owner on owner.id = wanted.owner_id and not owner.deleted
      where not exists (
        select from workspaces w
          where w.owner_id = wanted.owner_id and lower(w.name) = lower(wanted.name) and not w.deleted)`,
);

/** The longest that a claim waits for a prebuild that others hold, when there is no other, in milliseconds. */
const lockWaitMs = 2_000;

/**
 * Returns the condition that a workspace `w` waits in the pool of a preset, where it can be claimed (docs/claims.md;
 * docs/protocol/prebuilds.md §1.4).
 */
function isWaiting(presetId: string): RawBuilder<boolean> {
  return sql<boolean>`
    w.prebuild_preset_id = ${presetId} and w.owner_id = ${prebuildsUserId} and not w.deleted
      and ${isUsable(presetId)}`;
}

/** Returns the same for a `w` that is found by its id: no index of pools or owners fits, which would find all that wait. */
function stillWaits(presetId: string): RawBuilder<boolean> {
  return sql<boolean>`
    (w.prebuild_preset_id, w.owner_id) is not distinct from (${presetId}::uuid, ${prebuildsUserId}::uuid)
      and not w.deleted and ${isUsable(presetId)}`;
}

/** Returns the condition that a prebuild runs in the active version of its template, with all agents ready. */
function isUsable(presetId: string): RawBuilder<boolean> {
  return sql<boolean>`exists (
      select from template_version_presets preset
        join templates t on t.id = w.template_id and t.active_version_id = preset.template_version_id
        cross join lateral ${newestBuild(sql`w.id`)} newest
        join jobs j on j.id = newest.job_id
        where preset.id = ${presetId} and not t.deleted
          and newest.template_version_id = preset.template_version_id
          and newest.transition = 'start' and ${hasSucceeded("j")}
          and (preset.invalidate_after_secs = 0
            or newest.created_at >= now() - make_interval(secs => preset.invalidate_after_secs))
          and (preset.last_invalidated_at is null or newest.created_at >= preset.last_invalidated_at)
          and ${agentsOf(sql`newest.id`, sql`true`)}
          and not ${agentsOf(sql`newest.id`, sql`a.lifecycle_state <> 'ready'`)})`;
}

/** Counts the prebuilds of a preset that can be claimed. */
export async function countWaiting(db: Queryable, presetId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from workspaces w where ${isWaiting(presetId)} and ${areConnected}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

const areConnected = sql<boolean>`
  not ${agentsOf(
    sql`(select id from ${newestBuild(sql`w.id`)} newest)`,
    sql`not ${isConnected("a")}`,
  )}`;

/** Returns the condition that a build has root agents for which `holds` is true. */
function agentsOf(buildId: RawBuilder<string>, holds: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select from workspace_agents a
      where a.workspace_build_id = ${buildId} and a.parent_id is null and not a.deleted and (${holds}))`;
}

/** Locks prebuilds that others do not hold, connected ones first. */
async function lockUnlocked(
  trx: Queryable,
  presetId: string,
  count: number,
  except: readonly string[],
): Promise<readonly string[]> {
  const connected = await lockConnected(trx, presetId, count, except);
  const left = count - connected.length;
  if (left === 0) return connected;
  return [...connected, ...(await lockFree(trx, presetId, left, [...except, ...connected]))];
}

/**
 * Waits for the oldest prebuild locked by others until they release it: a claim was rolled back, or the lock was brief.
 * Resolves to none when none is waiting, or all are claimed meanwhile.
 */
async function waitForOne(
  trx: Queryable,
  presetId: string,
  except: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql`
    select from workspaces w
      where ${isWaiting(presetId)} and w.id <> all(${sql.val([...except])}::uuid[]) limit 1`.execute(
    trx,
  );
  if (rows.length === 0) return [];
  const found = await withLockTimeout(trx, lockWaitMs, () => lockOldest(trx, presetId, 1, except));
  return found ?? [];
}

const lockConnected = lockSome(areConnected, sql`skip locked`);
const lockFree = lockSome(sql`true`, sql`skip locked`);
const lockOldest = lockSome(sql`true`, sql``);

/**
 * Returns a function that locks the oldest waiting prebuilds; `skip locked` leaves out those that others hold. Walks the
 * pool by its index and examines prebuilds one by one: `offset 0` and `lateral` keep the planner from examining all of
 * them first, which it estimates as cheap while it has few statistics on a pool.
 */
function lockSome(condition: RawBuilder<boolean>, ifLocked: RawBuilder<unknown>) {
  const lock = prepareQuery(
    (_, presetId: string, count: number, except: readonly string[]) => sql<{ readonly id: string }>`
    select locked.id
      from (
          select id, created_at, name from workspaces
            where prebuild_preset_id = ${presetId} and not deleted
            order by created_at, name offset 0) oldest
        cross join lateral (
          select w.id from workspaces w
            where w.id = oldest.id and ${isWaiting(presetId)}
              and w.id <> all(${except}::uuid[]) and ${condition}
            for no key update of w ${ifLocked}) locked
      order by oldest.created_at, oldest.name limit ${count}`,
  );
  return async (
    trx: Queryable,
    presetId: string,
    count: number,
    except: readonly string[],
  ): Promise<readonly string[]> => (await lock(trx, presetId, count, except)).map(({ id }) => id);
}

/** Claims the locked prebuilds that still wait, and ends their agents if `endsAgents`; resolves to those. */
async function claimPrebuilds(
  trx: Queryable,
  presetId: string,
  changes: readonly PrebuildChange<ClaimOwner>[],
  endsAgents: boolean,
): Promise<readonly ClaimedPrebuild[]> {
  const columns = changes.map(({ workspaceId: id, owner: { ownerId, name, settings } }) => {
    return { ...settings, id, owner_id: ownerId, name };
  });
  const rows = await claimedRows(trx, presetId, JSON.stringify(columns), endsAgents);
  return rows.map(readClaimed);
}

function readClaimed({ ended_agents: ended, ...claimed }: ClaimedRow): ClaimedPrebuild {
  return { ...claimed, processes: orphanProcesses(ended.map(readEnded)) };
}

/** Updates prebuilds, selects the basis of their builds, and ends their agents, in one statement. */
const claimedRows = prepareQuery((db, presetId: string, columns: string, endsAgents: boolean) =>
  db
    .with("changed", () => claimUpdate(db, presetId, columns))
    .with("claimed", (cte) =>
      cte
        .selectFrom("changed as w")
        .innerJoin("users as owner", "owner.id", "w.owner_id")
        .innerJoin("templates as t", "t.id", "w.template_id")
        .innerJoinLateral(newestBuild(sql.ref("w.id")).as("b"), (join) => join.onTrue())
        .innerJoin("jobs as j", "j.id", "b.job_id")
        .select([
          ...subjectColumns,
          "b.id as build_id",
          "b.owner_id as build_owner_id",
          "b.build_number",
          "b.transition",
          "j.worker_id",
        ])
        .select(driverResources(sql.ref("b.job_id")).as("resources"))
        .select(endOfLife.as("deadline")),
    )
    .with("ended", () =>
      endingAgents(db, sql`any(array(select build_id from claimed))`).where(
        sql<boolean>`${endsAgents}`,
      ),
    )
    .selectFrom("claimed")
    .selectAll()
    .select(({ selectFrom }) =>
      jsonArrayFrom(
        selectFrom("ended")
          .whereRef("ended.workspace_build_id", "=", "claimed.build_id")
          .selectAll(),
      ).as("ended_agents"),
    ),
);

type ClaimedRow = Awaited<ReturnType<typeof claimedRows>>[number];

/** Returns the update of prebuilds that still wait; `columns`: the id and the new columns of each, as JSON. */
function claimUpdate(db: Queryable, presetId: string, columns: string) {
  const changes = sql<
    Selectable<DB["workspaces"]>
  >`jsonb_populate_recordset(null::workspaces, ${columns}::jsonb)`;
  return db
    .updateTable("workspaces as w")
    .from(changes.as("new"))
    .set({
      owner_id: sql.ref("new.owner_id"),
      name: sql.ref("new.name"),
      prebuild_preset_id: null,
      dormant_at: null,
      last_used_at: sql`now()`,
      updated_at: sql`now()`,
      automatic_updates: sql.ref("new.automatic_updates"),
      autostart_schedule: sql.ref("new.autostart_schedule"),
      next_start_at: sql.ref("new.next_start_at"),
      ttl_ms: sql.ref("new.ttl_ms"),
      on_deadline: sql.ref("new.on_deadline"),
    })
    .whereRef("w.id", "=", "new.id")
    .where(isOneOfFew("new.id"))
    .where(stillWaits(presetId))
    .where(keepsTemplate(sql.ref("w.template_id")))
    .where(keepsUser(sql.ref("new.owner_id")))
    .returning(["w.id", "w.name", "w.owner_id", "w.template_id", "w.ttl_ms"]);
}

/** Reads the tokens of an agent from JSON, in which bytes are hexadecimal. */
function readEnded(agent: ClaimedRow["ended_agents"][number]): EndedAgent {
  const { auth_token_hash: hash, auth_token_encrypted: sealed } = agent;
  return { ...agent, auth_token_hash: readBytes(hash), auth_token_encrypted: readBytes(sealed) };
}

function readBytes(json: unknown): Buffer {
  return Buffer.from(String(json).slice("\\x".length), "hex");
}
