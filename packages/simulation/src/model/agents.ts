import type { LifecycleReport } from "../network/messages.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Model } from "./model.ts";
import type { AgentRow, BuildRow } from "./tables.ts";
import { hasOpenSession, type View } from "./view.ts";

/**
 * Makes the agents of a claim's build, with the names and tokens of their predecessors, whose processes continue. The
 * predecessors end with their sub-agents.
 */
export async function takeOver(model: Model, trx: Transaction, build: BuildRow): Promise<void> {
  const view = model.view(trx);
  const predecessor = await trx.run(() => model.rules.predecessor(view, build));
  if (predecessor === undefined) throw new Error("claim has no predecessor");
  const inherited = await trx.run(() => {
    const tokens = model.rules.carriedTokens(view, predecessor);
    const clocks = clocksOf(view, predecessor);
    endAgents(model, trx, predecessor.id);
    return { tokens, clocks, areOwedReinit: true };
  });
  await trx.run(() => makeAgents(model, trx, build, inherited));
}

/**
 * Ends the agents whose processes wait for a start by the same owner, which keeps their tokens; resolves to the
 * processes.
 */
export function endResting(model: Model, trx: Transaction, build: BuildRow): InheritedProcesses {
  const view = model.view(trx);
  const last = model.keepsProcesses ? view.lastStart(build) : undefined;
  if (last === undefined || last.ownerId !== build.ownerId) return noProcesses;
  const tokens = new Map(view.rootAgents(last.id).map(({ name, token }) => [name, token]));
  const clocks = clocksOf(view, last);
  endAgents(model, trx, last.id);
  return { tokens, clocks, areOwedReinit: false };
}

/** Returns the tokens of a failed start's agents to their previous agents. */
export function reviveAgents(model: Model, trx: Transaction, failed: BuildRow): void {
  const { agents } = model.tables;
  const all = trx.all(agents);
  for (const { token } of all.filter(({ buildId }) => buildId === failed.id)) {
    const earlier = model
      .view(trx)
      .builds(failed.workspaceId)
      .filter(({ number }) => number < failed.number)
      .flatMap(({ id }) => all.filter((agent) => agent.buildId === id && agent.token === token));
    const [last] = earlier;
    if (last !== undefined) trx.update(agents, last.id, () => ({ deleted: false }));
  }
}

/** The processes that continue: tokens by the names of their agents, and clocks by token. */
interface InheritedProcesses {
  readonly tokens: ReadonlyMap<string, string>;
  readonly clocks: ReadonlyMap<string, number | undefined>;
  /** False if they begin their next life by themselves. */
  readonly areOwedReinit: boolean;
}

const noProcesses: InheritedProcesses = {
  tokens: new Map(),
  clocks: new Map(),
  areOwedReinit: false,
};

function clocksOf(view: View, { id }: BuildRow): InheritedProcesses["clocks"] {
  return new Map(view.rootAgents(id).map(({ token, clockAheadMs }) => [token, clockAheadMs]));
}

/** Makes an agent for each name in the template; it takes over the process of an existing token. */
export function makeAgents(
  model: Model,
  trx: Transaction,
  build: BuildRow,
  { tokens, clocks, areOwedReinit }: InheritedProcesses,
): void {
  for (const name of model.agentNames) {
    const carried = tokens.get(name);
    const agent = newAgent(model, trx, build, { name, token: carried ?? model.ids.next("t") });
    const clockAheadMs = carried === undefined ? undefined : clocks.get(carried);
    const tookOver = carried !== undefined && areOwedReinit;
    trx.insert(model.tables.agents, { ...agent, tookOver, clockAheadMs });
  }
}

export function endAgents(model: Model, trx: Transaction, buildId: string): void {
  for (const { id } of model.view(trx).agents(buildId)) {
    trx.update(model.tables.agents, id, () => ({ deleted: true }));
  }
}

function newAgent(
  model: Model,
  { nowMs: createdAtMs }: Transaction,
  { id: buildId, workspaceId }: BuildRow,
  { name, token }: { readonly name: string; readonly token: string },
): AgentRow {
  return {
    id: model.ids.next("a"),
    buildId,
    workspaceId,
    parentId: undefined,
    name,
    token,
    deleted: false,
    createdAtMs,
    lifecycle: "created",
    startedAtMs: undefined,
    readyAtMs: undefined,
    firstConnectedAtMs: undefined,
    connectedAtMs: undefined,
    lastConnectedAtMs: undefined,
    disconnectedAtMs: undefined,
    connectionId: undefined,
    tookOver: false,
    reinitSentAtMs: undefined,
    reinitWasReceived: false,
    decidesByIdentity: false,
    clockAheadMs: undefined,
  };
}

/** Makes the sub-agent of a dev container that a root agent found; false if that agent may not have sub-agents. */
export function makeSubAgent(model: Model, trx: Transaction, parentId: string): boolean {
  const parent = trx.get(model.tables.agents, parentId);
  const build = parent && trx.get(model.tables.builds, parent.buildId);
  if (parent === undefined || parent.deleted || build === undefined) return false;
  if (parent.parentId !== undefined) return false;
  const sub = newAgent(model, trx, build, {
    name: `${parent.name}-sub`,
    token: model.ids.next("t"),
  });
  trx.insert(model.tables.agents, { ...sub, parentId });
  return true;
}

const started: ReadonlySet<string> = new Set(["ready", "start_timeout", "start_error"]);
const leaving: ReadonlySet<string> = new Set([
  "shutting_down",
  "shutdown_timeout",
  "shutdown_error",
  "off",
]);

/**
 * Stores an agent's report of its state, in any order. An agent that has started must have begun. Reports of an
 * agent that is owed a reinit, except that it is starting, concern its previous life; that it ends that life as told
 * is recorded.
 */
export function updateLifecycle(
  model: Model,
  trx: Transaction,
  { agentId, connectionId, authenticatedAtMs }: SessionStart,
  { state: lifecycle, changedAtMs }: LifecycleReport,
): void {
  trx.update(model.tables.agents, agentId, (row) => {
    const { startedAtMs, tookOver, reinitSentAtMs } = row;
    if (tookOver && startedAtMs === undefined && lifecycle !== "starting") {
      const isReceipt = reinitSentAtMs !== undefined && leaving.has(lifecycle);
      return isReceipt ? { reinitWasReceived: true } : undefined;
    }
    const isOwed = tookOver && startedAtMs === undefined;
    if (isOwed && !model.rules.isOfThisLife(row, changedAtMs, authenticatedAtMs)) return undefined;
    if (isHeldUp(row, connectionId, { state: lifecycle, changedAtMs })) return undefined;
    const aheadMs = changedAtMs - trx.nowMs;
    const clockAheadMs = Math.max(row.clockAheadMs ?? aheadMs, aheadMs);
    if (lifecycle === "starting") {
      return { lifecycle, startedAtMs: changedAtMs, readyAtMs: undefined, clockAheadMs };
    }
    return started.has(lifecycle)
      ? {
          lifecycle,
          startedAtMs: startedAtMs ?? changedAtMs,
          readyAtMs: changedAtMs,
          clockAheadMs,
        }
      : { lifecycle, clockAheadMs };
  });
}

/**
 * Reports whether an older session repeats a state that the agent has left: the report was delayed and has been
 * repeated since.
 */
function isHeldUp(
  { connectionId: newest, startedAtMs, readyAtMs }: AgentRow,
  connectionId: string,
  { state, changedAtMs }: LifecycleReport,
): boolean {
  if (newest === undefined || newest === connectionId) return false;
  const latestMs = Math.max(startedAtMs ?? -Infinity, readyAtMs ?? -Infinity);
  const saidBeforeMs = started.has(state) ? readyAtMs : undefined;
  return (
    changedAtMs < latestMs || changedAtMs === (state === "starting" ? startedAtMs : saidBeforeMs)
  );
}

/** Stores an agent's startup report. */
export function updateStartup(
  model: Model,
  trx: Transaction,
  { agentId, authenticatedAtMs }: SessionStart,
  decides: "identity" | "frames",
): void {
  const decidesByIdentity = decides === "identity";
  trx.update(model.tables.agents, agentId, ({ firstConnectedAtMs = authenticatedAtMs }) => ({
    decidesByIdentity,
    firstConnectedAtMs,
  }));
}

/** A session, and the time at which its token was looked up. */
export interface SessionStart {
  readonly agentId: string;
  readonly connectionId: string;
  readonly authenticatedAtMs: number;
}

/** Returns false if the agent has ended since it was admitted. */
export function markConnected(
  model: Model,
  trx: Transaction,
  { agentId, connectionId, authenticatedAtMs }: SessionStart,
): boolean {
  trx.update(model.tables.agents, agentId, ({ firstConnectedAtMs = authenticatedAtMs }) => ({
    firstConnectedAtMs,
    connectedAtMs: trx.nowMs,
    lastConnectedAtMs: trx.nowMs,
    connectionId,
  }));
  return trx.get(model.tables.agents, agentId)?.deleted === false;
}

/** Marks a session as over unless another session holds the agent's row. */
export function markOver(
  model: Model,
  trx: Transaction,
  { agentId, connectionId }: SessionStart,
): void {
  trx.update(model.tables.agents, agentId, (row) =>
    row.connectionId === connectionId ? { disconnectedAtMs: trx.nowMs } : undefined,
  );
}

/**
 * Marks as alive a session that holds its agent's row. Another session takes the row over if its holder is over, as
 * long as the agent is live.
 */
export function markAlive(
  model: Model,
  trx: Transaction,
  { agentId, connectionId, authenticatedAtMs }: SessionStart,
): void {
  const lastConnectedAtMs = trx.nowMs;
  const row = trx.get(model.tables.agents, agentId);
  const isLive = row !== undefined && model.view(trx).liveAgent(row.token)?.id === agentId;
  trx.update(model.tables.agents, agentId, (agent) => {
    if (agent.connectionId === connectionId) return { lastConnectedAtMs };
    if (!isLive || hasOpenSession(agent, trx.nowMs)) return undefined;
    return { lastConnectedAtMs, connectedAtMs: authenticatedAtMs, connectionId };
  });
}

/** Restarts the processes on a worker's machine, which begin new lives, as `builds/restore.ts` does. */
export function resetAgents(model: Model, trx: Transaction, workerId: string): void {
  const view = model.view(trx);
  for (const { id, deleted } of trx.all(model.tables.workspaces)) {
    const newest = view.newest(id);
    const isMeant = newest?.transition === "start" && newest.workerId === workerId;
    if (deleted || !isMeant || newest.completedAtMs === undefined || newest.error !== undefined)
      continue;
    for (const agent of view.rootAgents(newest.id)) {
      trx.update(model.tables.agents, agent.id, () => ({
        lifecycle: "created",
        startedAtMs: undefined,
        readyAtMs: undefined,
        tookOver: false,
        clockAheadMs: undefined,
      }));
    }
  }
}
