import type { LifecycleState } from "@slipway/api/agents/agent";
import type { Clock } from "@slipway/runtime";
import {
  type Lifecycle,
  Lifecycle_State,
  type UpdateLifecycleRequest,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import { isOneOfFew } from "../../../platform/db/one-of-few.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required, timeField } from "../calls/fields.ts";
import { notLive, requireBudget, type RpcCaller } from "../calls/rpc-caller.ts";
import type { AgentSession } from "../connections/connection-queries.ts";
import { isLiveAgent } from "../live-queries.ts";

export interface LifecycleNeeds extends Pick<Platform, "pubsub" | "clock"> {
  readonly lifecycles: GatheredWrites<LifecycleReport, LifecycleEffect>;
}

const stateNames: ReadonlyMap<number, LifecycleState> = new Map([
  [Lifecycle_State.CREATED, "created"],
  [Lifecycle_State.STARTING, "starting"],
  [Lifecycle_State.START_TIMEOUT, "start_timeout"],
  [Lifecycle_State.START_ERROR, "start_error"],
  [Lifecycle_State.READY, "ready"],
  [Lifecycle_State.SHUTTING_DOWN, "shutting_down"],
  [Lifecycle_State.SHUTDOWN_TIMEOUT, "shutdown_timeout"],
  [Lifecycle_State.SHUTDOWN_ERROR, "shutdown_error"],
  [Lifecycle_State.OFF, "off"],
]);

/** Stores the agent's state, whatever the previous one, and echoes it (docs/protocol/rpc.md §7.3). */
export async function updateLifecycle(
  { lifecycles, pubsub, clock }: LifecycleNeeds,
  caller: Pick<RpcCaller, "agent" | "connectionId" | "spend">,
  request: UpdateLifecycleRequest,
): Promise<Lifecycle> {
  const lifecycle = required(request.lifecycle, "lifecycle");
  const { agentId, authenticatedAt, workspaceId } = caller.agent;
  requireBudget(caller, "updates");
  const effect = await lifecycles.write({
    agentId,
    authenticatedAt,
    connectionId: caller.connectionId,
    state: enumField(stateNames, lifecycle.state, "lifecycle state"),
    changedAt: timeField(lifecycle.changedAt, "changed_at") ?? timestampFromMs(clock.now()),
  });
  if (effect === undefined || effect === "not-live") throw notLive();
  if (effect === "changed") pubsub.publish(topics.workspace(workspaceId));
  return lifecycle;
}

/** Gathers the reports of all agents into shared statements. */
export function gatherLifecycles(db: Database, clock: Clock): LifecycleNeeds["lifecycles"] {
  return new GatheredWrites({
    keyOf: ({ agentId }) => agentId,
    clock,
    writeAll: (reports) => updateLifecycles(db, reports),
  });
}

/** The mark in the version of agents that decide by identity, such as `v2.37.0+slipway.0.1.0`. */
const identityMark = "+slipway.";

/**
 * The condition for a report `new` of the start of agent `a` to be about its lifecycle as this row, not a late report
 * from before the claim. An agent that decides by identity drops late reports itself. A stock agent delivers reports
 * in order, so one that was seen to shut down has none left. Otherwise the time of the report decides, by the clock
 * of the agent's machine: no lifecycle as this row began before its first session did (docs/claims.md).
 */
const isOfThisLife = sql<boolean>`(
    a.reinit_received_at is not null
      or position(${sql.lit(identityMark)} in a.version) > 0
      or extract(epoch from new.changed_at - coalesce(a.first_connected_at, new.authenticated_at))
        * 1000 >= coalesce(a.clock_ahead_ms, 0))`;

/** The effect of a report; `none` means that the agent is live, but the report is not about its current lifecycle. */
export type LifecycleEffect = "changed" | "none" | "not-live";

/** A report of an agent's lifecycle, with the session that sent it. */
export interface LifecycleReport extends Omit<AgentSession, "replicaId"> {
  readonly state: LifecycleState;
  readonly changedAt: string;
}

/** Updates the lifecycle state of one agent, as `updateLifecycles` does. */
export async function updateAgentLifecycle(
  db: Queryable,
  session: Omit<AgentSession, "replicaId">,
  change: { readonly state: LifecycleState; readonly changedAt: string },
): Promise<LifecycleEffect> {
  const effects = await updateLifecycles(db, [{ ...session, ...change }]);
  return effects.get(session.agentId) ?? "not-live";
}

/**
 * Updates the lifecycle states of different agents; resolves to the effects by the agents' ids. The start and end of
 * the start scripts follow from the states (docs/protocol/rpc.md §7.3).
 *
 * While an agent is owed a reinit, any report except `starting` is about its previous lifecycle and changes nothing
 * (docs/claims.md). A shutdown after the agent was notified is recorded, because a release that does not recognize
 * repetitions would restart at each. Once a newer session exists, an older session's report of a time that the agent
 * has passed has no effect either: its statement was delayed, and the agent, which got no answer, has sent it again.
 * In the newest session, an agent's clock may have been set back.
 */
export async function updateLifecycles(
  db: Queryable,
  reports: readonly LifecycleReport[],
): Promise<ReadonlyMap<string, LifecycleEffect>> {
  const rows = await lifecycles(
    db,
    reports.map(({ agentId }) => agentId),
    reports.map(({ connectionId }) => connectionId),
    reports.map(({ authenticatedAt }) => authenticatedAt),
    reports.map(({ state }) => state),
    reports.map(({ changedAt }) => changedAt),
  );
  return new Map(rows.map(({ id, effect }) => [id, effect]));
}

const lifecycles = prepareQuery(
  (
    _,
    agentIds: readonly string[],
    connectionIds: readonly string[],
    authenticatedAts: readonly string[],
    states: readonly LifecycleState[],
    changedAts: readonly string[],
  ) => sql<{ readonly id: string; readonly effect: LifecycleEffect }>`
    with new as materialized (
      select *, ${isLiveAgent(sql.ref("reported.id"))} as is_live
        from unnest(${agentIds}::uuid[], ${connectionIds}::uuid[], ${authenticatedAts}::timestamptz[],
            ${states}::text[], ${changedAts}::timestamptz[])
          as reported (id, connection_id, authenticated_at, state, changed_at)
        where ${isOneOfFew("reported.id")}),
    received as (
      update workspace_agents a set reinit_received_at = now() from new
        where a.id = new.id and new.is_live and a.took_over and a.started_at is null
          and a.reinit_sent_at is not null and a.reinit_received_at is null
          and new.state in ('shutting_down', 'shutdown_timeout', 'shutdown_error', 'off')
        returning a.id, a.deleted),
    changed as (
      update workspace_agents a set
        lifecycle_state = new.state,
        started_at = case
          when new.state = 'starting' then new.changed_at
          when new.state in ('ready', 'start_timeout', 'start_error') then coalesce(a.started_at, new.changed_at)
          else a.started_at end,
        ready_at = case
          when new.state = 'starting' then null
          when new.state in ('ready', 'start_timeout', 'start_error') then new.changed_at
          else a.ready_at end,
        clock_ahead_ms = greatest(a.clock_ahead_ms, extract(epoch from new.changed_at - now()) * 1000),
        updated_at = now()
      from new
      where a.id = new.id and new.is_live
        and (a.started_at is not null or not a.took_over or (new.state = 'starting' and ${isOfThisLife}))
        and not (coalesce(a.connection_id <> new.connection_id, false) and (
          coalesce(new.changed_at < greatest(a.started_at, a.ready_at), false) or
          coalesce(new.changed_at = case
            when new.state = 'starting' then a.started_at
            when new.state in ('ready', 'start_timeout', 'start_error') then a.ready_at end, false)))
      returning a.id)
    select new.id, case
        when new.id in (select id from changed) then 'changed'
        -- A claim may have ended the agent while the statement waited for its row.
        when new.is_live and new.id not in (select id from received where deleted) then 'none'
        else 'not-live' end as effect
      from new`,
);
