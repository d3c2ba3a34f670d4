import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { Clock } from "@slipway/runtime";
import { sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { timestampMs } from "../../../platform/db/timestamp.ts";
import { isReplaced } from "../../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../../platform/jobs/job-sql.ts";
import { isConnected } from "../../agents/agent-status.ts";
import { type ReinitView, repeatMs } from "./decide.ts";

/** Reads the states of agents by their tokens, for all streams of this replica together. */
export class GatheredViews {
  readonly #lookups: GatheredLookups<ReinitView>;

  constructor(db: Database) {
    this.#lookups = new GatheredLookups((hashes) =>
      selectReinitViews(
        db,
        hashes.map((hash) => Buffer.from(hash, "hex")),
      ),
    );
  }

  /** Reads the state of the agent of a token; rejects when the database does not answer. */
  async read(tokenHash: Buffer): Promise<ReinitView> {
    return (await this.#lookups.look(tokenHash.toString("hex"))) ?? { type: "gone" };
  }
}

interface ReinitRow {
  readonly token_hash: Buffer;
  readonly agent_id: string;
  readonly workspace_id: string;
  readonly owner_id: string;
  readonly was_prebuild: boolean;
  readonly is_claiming: boolean;
  readonly is_owed: boolean;
  readonly created_at: string;
  readonly connected_since: string | null;
  readonly disconnected_at: string | null;
  readonly reinit_sent_at: string | null;
  readonly was_received: boolean;
  readonly now: string;
}

/**
 * Selects the states of these tokens' agents, in one snapshot, by the token's hash in hex. A token is valid while its
 * agent's build is the newest of its workspace, or the newest that succeeded: during a claim the process has no other
 * token.
 */
export async function selectReinitViews(
  db: Queryable,
  tokenHashes: readonly Buffer[],
): Promise<ReadonlyMap<string, ReinitView>> {
  const rows = await reinitRows(db, tokenHashes);
  return new Map(rows.map((row) => [row.token_hash.toString("hex"), viewOf(row)]));
}

const reinitRows = prepareQuery(
  (_, tokenHashes: readonly Buffer[]) => sql<ReinitRow>`
    select agent.auth_token_hash as token_hash, agent.id as agent_id,
      w.id as workspace_id, w.owner_id,
      (select b.owner_id = ${prebuildsUserId} from workspace_builds b
        where b.workspace_id = w.id and b.build_number = 1) as was_prebuild,
      coalesce(done.transition = 'start' and done.owner_id <> w.owner_id, false) as is_claiming,
      agent.took_over and agent.started_at is null as is_owed,
      agent.created_at, agent.reinit_sent_at,
      case when ${isConnected("agent")}
        then coalesce(agent.connected_at, agent.first_connected_at) end as connected_since,
      case when not ${isConnected("agent")}
        then greatest(agent.last_connected_at, agent.disconnected_at) end as disconnected_at,
      agent.reinit_received_at is not null as was_received, now() as now
    from workspace_agents agent
      join workspace_builds build on build.id = agent.workspace_build_id
      join workspaces w on w.id = build.workspace_id
      left join lateral (
        select b.build_number, b.transition, b.owner_id from workspace_builds b
          where b.workspace_id = w.id and (select ${hasSucceeded("j")} from jobs j where j.id = b.job_id)
          order by b.build_number desc limit 1) done on true
    where agent.auth_token_hash = any(${tokenHashes}::bytea[])
      and not agent.deleted and not w.deleted
      and (build.build_number = done.build_number or not ${isReplaced("build")})`,
);

function viewOf(row: ReinitRow): ReinitView {
  return {
    type: "live",
    agentId: row.agent_id,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
    standing: standingOf(row),
    isOwed: row.is_owed,
    createdAtMs: timestampMs(row.created_at),
    connectedSinceMs: timestampMs(row.connected_since),
    disconnectedAtMs: timestampMs(row.disconnected_at),
    sentAtMs: timestampMs(row.reinit_sent_at),
    wasReceived: row.was_received,
    nowMs: timestampMs(row.now),
  };
}

function standingOf(row: ReinitRow): Extract<ReinitView, { type: "live" }>["standing"] {
  if (row.owner_id === prebuildsUserId) return "prebuild";
  if (!row.was_prebuild) return "never-a-prebuild";
  return row.is_claiming ? "claiming" : "claimed";
}

/** The pace of statements that record frames, in milliseconds: an agent waits for its frame meanwhile. */
const markPaceMs = 5;

/** Gathers the records of frames of all streams of this replica; undefined where none may be sent now. */
export function gatherReinitMarks(db: Database, clock: Clock): GatheredWrites<string, boolean> {
  return new GatheredWrites({
    keyOf: (agentId) => agentId,
    writeAll: (agentIds) => markAllReinitSent(db, agentIds),
    clock,
    paceMs: markPaceMs,
  });
}

/** Records that a frame is sent now; false if one was within the last minute, or the agent is restarting or has restarted. */
export async function markReinitSent(db: Queryable, agentId: string): Promise<boolean> {
  return (await markAllReinitSent(db, [agentId])).has(agentId);
}

async function markAllReinitSent(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  return new Map((await sentMarks(db, agentIds)).map(({ id }) => [id, true]));
}

const sentMarks = prepareQuery((db, agentIds: readonly string[]) =>
  db
    .updateTable("workspace_agents")
    .set({ reinit_sent_at: sql`now()` })
    .where(sql<boolean>`id = any(${agentIds}::uuid[])`)
    .where("took_over", "=", sql.lit(true))
    .where("started_at", "is", null)
    .where("reinit_received_at", "is", null)
    .where("deleted", "=", sql.lit(false))
    .where((eb) =>
      eb.or([
        eb("reinit_sent_at", "is", null),
        eb("reinit_sent_at", "<=", sql<string>`now() - make_interval(secs => ${repeatMs / 1000})`),
      ]),
    )
    .returning("id"),
);
