import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type RawBuilder, type Selectable, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
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
import type { ClaimTransaction, NewOwner } from "./choose-prebuild.ts";

/** The terms on which a user claims a prebuild. */
export interface ClaimTerms {
  readonly settings: SettingsColumns;
  /** True if the claim ends the agents, because its build takes over their processes at once. */
  readonly endsAgents: boolean;
}

/** The basis of a claim's build: the claimed workspace, and the build that its agents belong to. */
export interface ClaimedPrebuild extends Omit<ClaimedRow, "ended_agents"> {
  /** The processes of the root agents that ended, by name. */
  readonly processes: ReadonlyMap<string, OrphanProcess>;
}

/** A claim transaction on PostgreSQL. */
export interface SqlClaim extends ClaimTransaction {
  /** Undefined until a prebuild is claimed. */
  readonly claimed: ClaimedPrebuild | undefined;
}

/** Returns the claim transaction, on PostgreSQL. */
export function sqlClaim(trx: Queryable, terms: ClaimTerms): SqlClaim {
  let claimed: ClaimedPrebuild | undefined;
  return {
    get claimed() {
      return claimed;
    },
    lockPrebuild: (presetId, except) => lockPrebuild(trx, presetId, except),
    claimPrebuild: async (workspaceId, presetId, owner) => {
      const found = await claimPrebuild(trx, { workspaceId, presetId }, owner, terms);
      claimed = found ?? claimed;
      return found !== undefined;
    },
  };
}

/** The longest that a claim waits for a prebuild that others hold, when there is no other, in milliseconds. */
const lockWaitMs = 2_000;

/**
 * Returns the condition that a workspace `w` waits in the pool of a preset, where it can be claimed (docs/claims.md;
 * docs/protocol/prebuilds.md §1.4).
 */
function isWaiting(presetId: string): RawBuilder<boolean> {
  return sql<boolean>`
    w.prebuild_preset_id = ${presetId} and w.owner_id = ${prebuildsUserId} and not w.deleted and exists (
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

async function lockPrebuild(
  trx: Queryable,
  presetId: string,
  except: readonly string[],
): Promise<string | undefined> {
  return (
    (await lockConnected(trx, presetId, except)) ??
    (await lockFree(trx, presetId, except)) ??
    (await waitForOne(trx, presetId, except))
  );
}

/**
 * Waits for the oldest prebuild locked by others until they release it: a claim was rolled back, or the lock was brief.
 * Undefined when none is waiting, or all are claimed meanwhile.
 */
async function waitForOne(
  trx: Queryable,
  presetId: string,
  except: readonly string[],
): Promise<string | undefined> {
  const { rows } = await sql`
    select from workspaces w
      where ${isWaiting(presetId)} and w.id <> all(${sql.val([...except])}::uuid[]) limit 1`.execute(
    trx,
  );
  if (rows.length === 0) return undefined;
  return withLockTimeout(trx, lockWaitMs, () => lockOldest(trx, presetId, except));
}

const lockConnected = lockOne(areConnected, sql`skip locked`);
const lockFree = lockOne(sql`true`, sql`skip locked`);
const lockOldest = lockOne(sql`true`, sql``);

/**
 * Returns a function that locks the oldest waiting prebuild; `skip locked` leaves out those that others hold. Walks the
 * pool by its index and examines prebuilds one by one: `offset 0` and `lateral` keep the planner from examining all of
 * them first, which it estimates as cheap while it has few statistics on a pool.
 */
function lockOne(condition: RawBuilder<boolean>, ifLocked: RawBuilder<unknown>) {
  const lock = prepareQuery(
    (_, presetId: string, except: readonly string[]) => sql<{ readonly id: string }>`
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
      order by oldest.created_at, oldest.name limit 1`,
  );
  return async (
    trx: Queryable,
    presetId: string,
    except: readonly string[],
  ): Promise<string | undefined> => (await lock(trx, presetId, except))[0]?.id;
}

/**
 * Claims a locked prebuild if it still waits, and ends its agents if the terms say so. Resolves to undefined, with
 * nothing changed, if it does not wait any more.
 */
async function claimPrebuild(
  trx: Queryable,
  { workspaceId, presetId }: { readonly workspaceId: string; readonly presetId: string },
  { ownerId, name }: NewOwner,
  { settings, endsAgents }: ClaimTerms,
): Promise<ClaimedPrebuild | undefined> {
  const columns = JSON.stringify({ ...settings, name });
  const [row] = await claimedRows(trx, workspaceId, presetId, ownerId, columns, endsAgents);
  if (row === undefined) return undefined;
  const { ended_agents: ended, ...claimed } = row;
  return { ...claimed, processes: orphanProcesses(ended.map(readEnded)) };
}

/** Updates the prebuild, selects the basis of its build, and ends its agents, in one statement. */
const claimedRows = prepareQuery(
  (
    db,
    workspaceId: string,
    presetId: string,
    ownerId: string,
    columns: string,
    endsAgents: boolean,
  ) =>
    db
      .with("changed", () => claimUpdate(db, { workspaceId, presetId, ownerId, columns }))
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
        endingAgents(db, sql`(select build_id from claimed)`).where(sql<boolean>`${endsAgents}`),
      )
      .selectFrom("claimed")
      .selectAll()
      .select(({ selectFrom }) =>
        jsonArrayFrom(selectFrom("ended").selectAll()).as("ended_agents"),
      ),
);

type ClaimedRow = Awaited<ReturnType<typeof claimedRows>>[number];

interface ClaimUpdate {
  readonly workspaceId: string;
  readonly presetId: string;
  readonly ownerId: string;
  /** The name and the settings, as JSON. */
  readonly columns: string;
}

/** Returns the update of a prebuild that still waits. */
function claimUpdate(db: Queryable, { workspaceId, presetId, ownerId, columns }: ClaimUpdate) {
  const newColumns = sql<
    Selectable<DB["workspaces"]>
  >`jsonb_populate_record(null::workspaces, ${columns}::jsonb)`;
  return db
    .updateTable("workspaces as w")
    .from(newColumns.as("new"))
    .set({
      owner_id: ownerId,
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
    .where("w.id", "=", workspaceId)
    .where(isWaiting(presetId))
    .where(keepsTemplate(sql.ref("w.template_id")))
    .where(keepsUser(sql.val(ownerId)))
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
