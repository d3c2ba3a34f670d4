import type { Transaction } from "../store/transaction.ts";
import type { Model } from "./model.ts";
import type { AgentRow, BuildRow } from "./tables.ts";

/**
 * Makes the agents of a claim's build: they have the names and tokens of those before them, whose processes go on. Those
 * before them end, with their sub-agents.
 */
export async function takeOver(model: Model, trx: Transaction, build: BuildRow): Promise<void> {
  const view = model.view(trx);
  const predecessor = await trx.run(() => model.rules.predecessor(view, build));
  if (predecessor === undefined) throw new Error("a claim is of what runs for another owner");
  const tokens = await trx.run(() => {
    const carried = model.rules.carriedTokens(view, predecessor);
    endAgents(model, trx, predecessor.id);
    return carried;
  });
  await trx.run(() => makeAgents(model, trx, build, tokens));
}

/** One agent for each name of the template; it takes over the process whose token there is. */
export function makeAgents(
  model: Model,
  trx: Transaction,
  build: BuildRow,
  tokens: ReadonlyMap<string, string>,
): void {
  for (const name of model.agentNames) {
    const carried = tokens.get(name);
    const agent = newAgent(model, trx, build, { name, token: carried ?? model.ids.next("t") });
    trx.insert(model.tables.agents, { ...agent, tookOver: carried !== undefined });
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
    connectedAtMs: undefined,
    lastConnectedAtMs: undefined,
    disconnectedAtMs: undefined,
    connectionId: undefined,
    tookOver: false,
    reinitSentAtMs: undefined,
    reinitWasReceived: false,
  };
}

/** Makes the sub-agent of a dev container that an agent found. */
export function makeSubAgent(model: Model, trx: Transaction, parentId: string): void {
  const parent = trx.get(model.tables.agents, parentId);
  const build = parent && trx.get(model.tables.builds, parent.buildId);
  if (parent === undefined || parent.deleted || build === undefined) return;
  const sub = newAgent(model, trx, build, {
    name: `${parent.name}-sub`,
    token: model.ids.next("t"),
  });
  trx.insert(model.tables.agents, { ...sub, parentId });
}

const started: ReadonlySet<string> = new Set(["ready", "start_timeout", "start_error"]);
const leaving: ReadonlySet<string> = new Set(["shutting_down", "off"]);

/**
 * The agent's own report of its state, in whatever order it comes. Whoever has started must have begun; but what an agent
 * that is owed a reinit says, except that it is starting, is said of its life before; that it ends that, having been told to,
 * is noted.
 */
export function updateLifecycle(
  model: Model,
  trx: Transaction,
  agentId: string,
  lifecycle: string,
): void {
  trx.update(model.tables.agents, agentId, ({ startedAtMs, tookOver, reinitSentAtMs }) => {
    if (lifecycle === "starting") return { lifecycle, startedAtMs: trx.nowMs };
    if (tookOver && startedAtMs === undefined) {
      const isReceipt = reinitSentAtMs !== undefined && leaving.has(lifecycle);
      return isReceipt ? { reinitWasReceived: true } : undefined;
    }
    return started.has(lifecycle)
      ? { lifecycle, startedAtMs: startedAtMs ?? trx.nowMs }
      : { lifecycle };
  });
}

/** False when the agent has ended since it was let in. */
export function markConnected(
  model: Model,
  trx: Transaction,
  agentId: string,
  connectionId: string,
): boolean {
  trx.update(model.tables.agents, agentId, () => ({
    connectedAtMs: trx.nowMs,
    lastConnectedAtMs: trx.nowMs,
    connectionId,
  }));
  return trx.get(model.tables.agents, agentId)?.deleted === false;
}

/** A newer session has its own times. */
export function markSession(
  model: Model,
  trx: Transaction,
  { agentId, connectionId }: { readonly agentId: string; readonly connectionId: string },
  is: "alive" | "over",
): void {
  const times = is === "alive" ? { lastConnectedAtMs: trx.nowMs } : { disconnectedAtMs: trx.nowMs };
  trx.update(model.tables.agents, agentId, (row) =>
    row.connectionId === connectionId ? times : undefined,
  );
}
