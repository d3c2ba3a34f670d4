import {
  makeSubAgent,
  markAlive,
  markConnected,
  markOver,
  resetAgents,
  type SessionStart,
  updateLifecycle,
  updateStartup,
} from "../model/agents.ts";
import {
  acquireJob,
  cancelBuild,
  completeJob,
  createBuild,
  prepareAgents,
  RefusalError,
} from "../model/builds.ts";
import { carryOut, selectPool, selectPoolIds } from "../model/pools.ts";
import {
  claimWorkspaces,
  insertWorkspace,
  isPooled,
  type NewWorkspace,
} from "../model/workspaces.ts";
import { UniqueViolation } from "../store/errors.ts";
import { limits } from "./history-world.ts";
import { readModelRows } from "./model-rows.ts";
import type { ModelState } from "./model-state.ts";
import { nameRows } from "./name-rows.ts";
import type { Step } from "./step.ts";
import { tiesOf } from "./ties.ts";

/** Takes a step in the model; resolves to the answer that its actor received. */
export async function takeModelStep(world: ModelState, step: Step): Promise<string> {
  try {
    return await take(world, step);
  } catch (error) {
    if (isRefusal(error)) return "refused";
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof RefusalError || error instanceof UniqueViolation;
}

async function take(world: ModelState, step: Step): Promise<string> {
  const { model, names } = world;
  const { tables } = model;
  switch (step.type) {
    case "look":
      return look(world);
    case "create":
      return create(world, step);
    case "create-together":
      return createTogether(world, step);
    case "build":
      return build(world, step);
    case "cancel":
      return answerOf(await world.query((trx) => cancelBuild(model, trx, names.id(step.build))));
    case "acquire":
      return acquire(world, step);
    case "finish":
      return finish(world, step);
    case "connect":
      return connect(world, step);
    case "beat":
    case "disconnect": {
      const session = sessionOf(world, step.session);
      const mark = step.type === "beat" ? markAlive : markOver;
      await world.query((trx) => mark(model, trx, session));
      return "";
    }
    case "startup": {
      const session = sessionOf(world, step.session);
      await world.query((trx) => {
        if (isLive(world, session.agentId)) updateStartup(model, trx, session, step.decides);
      });
      return "";
    }
    case "report": {
      const session = sessionOf(world, step.session);
      const { state, lateMs } = step;
      await world.query((trx) => {
        const report = { state, changedAtMs: trx.nowMs - lateMs };
        if (isLive(world, session.agentId)) updateLifecycle(model, trx, session, report);
      });
      return "";
    }
    case "sub-agent": {
      const { agentId } = sessionOf(world, step.session);
      if (!isLive(world, agentId)) return "refused";
      // Only root agents have sub-agents.
      const isMade = await world.query((trx) => makeSubAgent(model, trx, agentId));
      if (!isMade) return "refused";
      return "";
    }
    case "grant":
      return answerOf(
        await world.query((trx) => model.rules.markReinitSent(tables, trx, names.id(step.agent))),
      );
    case "promote":
      await world.query((trx) =>
        trx.update(tables.templates, "template", () => ({ activeVersionId: step.version })),
      );
      return "";
    case "invalidate":
      await world.query((trx) =>
        trx.update(tables.presets, activePreset(world), () => ({ lastInvalidatedAtMs: trx.nowMs })),
      );
      return "";
    case "restore":
      await world.query((trx) => resetAgents(model, trx, names.id(step.worker)));
      return "";
  }
}

function answerOf(isDone: boolean): string {
  return isDone ? "" : "refused";
}

function activePreset({ model }: ModelState): string {
  return `preset of ${model.tables.templates.get("template")?.activeVersionId}`;
}

function sessionOf({ sessions }: ModelState, name: string): SessionStart {
  const session = sessions.get(name);
  if (session === undefined) throw new Error(`no session ${name}`);
  return session;
}

function isLive({ model }: ModelState, agentId: string): boolean {
  const agent = model.tables.agents.get(agentId);
  return agent !== undefined && model.committed.liveAgent(agent.token)?.id === agentId;
}

async function look(world: ModelState): Promise<string> {
  const { model } = world;
  for (const presetId of await world.query((trx) => selectPoolIds(model, trx))) {
    await world.transaction(async (trx) => {
      const snapshot = await trx.run(() => selectPool(model, trx, presetId));
      await carryOut(model, trx, presetId, model.rules.reconcile(snapshot, trx.nowMs, limits));
    });
  }
  await breakTies(world);
  return "";
}

async function breakTies(world: ModelState): Promise<void> {
  const { model, names } = world;
  const { builds, workspaces } = model.tables;
  const rows = readModelRows(world);
  nameRows(names, rows);
  await world.query((trx) => {
    const older = (ms: number) => () => ({ createdAtMs: trx.nowMs - ms });
    for (const { buildId, workspaceId, isFirst, olderMs } of tiesOf(names, rows)) {
      trx.update(builds, buildId, older(olderMs));
      if (isFirst) trx.update(workspaces, workspaceId, older(olderMs));
    }
  });
}

async function create(
  world: ModelState,
  { user, name, isPooled: fromPool }: Extract<Step, { type: "create" }>,
): Promise<string> {
  const presetId = fromPool ? activePreset(world) : undefined;
  await createAlone(world, { userId: user, workspaceName: name, presetId });
  return "";
}

async function createAlone(world: ModelState, wanted: NewWorkspace): Promise<void> {
  const { model } = world;
  await world.transaction(async (trx) => {
    const claims = isPooled(wanted) ? [wanted] : [];
    const claimed = await claimWorkspaces(model, trx, claims, { waits: true });
    if (claimed.size === 0) await insertWorkspace(model, trx, wanted);
  });
}

/** Claims for the requests with a free name in one transaction, then creates the others one by one. */
async function createTogether(
  world: ModelState,
  { wanted }: Extract<Step, { type: "create-together" }>,
): Promise<string> {
  const { model, names } = world;
  const presetId = activePreset(world);
  const requests = wanted.map(({ user, name }) => {
    return { userId: user, workspaceName: name, presetId };
  });
  const claimed = await world.transaction((trx) =>
    claimWorkspaces(model, trx, withFreeNames(world, requests), { waits: false }),
  );
  const answers: string[] = [];
  for (const request of requests) {
    answers.push(claimed.has(request) ? "" : await answerAlone(world, request));
    nameRows(names, readModelRows(world));
  }
  await breakTies(world);
  return answers.join(",");
}

/** Returns the requests for names that their users do not have, of those for the same name of a user the first. */
function withFreeNames<Wanted extends NewWorkspace>(
  { model }: ModelState,
  requests: readonly Wanted[],
): readonly Wanted[] {
  const live = model.tables.workspaces.all().filter(({ deleted }) => !deleted);
  const taken = new Set(live.map(({ ownerId, name }) => `${ownerId} ${name}`));
  const byName = Map.groupBy(requests, ({ userId, workspaceName }) => `${userId} ${workspaceName}`);
  return [...byName].flatMap(([key, [first]]) =>
    first === undefined || taken.has(key) ? [] : [first],
  );
}

async function answerAlone(world: ModelState, request: NewWorkspace): Promise<string> {
  try {
    await createAlone(world, request);
    return "";
  } catch (error) {
    if (isRefusal(error)) return "refused";
    throw error;
  }
}

async function build(
  world: ModelState,
  { workspace, transition, user }: Extract<Step, { type: "build" }>,
): Promise<string> {
  const { model, names } = world;
  const id = names.id(workspace);
  const ownerId = model.tables.workspaces.get(id)?.ownerId ?? "";
  await world.transaction((trx) =>
    createBuild(model, trx, id, { ownerId, transition, initiatorId: user }),
  );
  return "";
}

async function acquire(
  world: ModelState,
  { work, worker }: Extract<Step, { type: "acquire" }>,
): Promise<string> {
  const { model, works, names } = world;
  const active = new Set(
    [...works.values()].flatMap((one) => (one.workerId === worker ? [one.build.id] : [])),
  );
  const found = await world.query((trx) => acquireJob(model, trx, worker, active));
  if (found === undefined) return "nothing";
  works.set(work, { build: found, workerId: worker });
  const isPlainStart =
    found.transition === "start" && model.committed.predecessor(found) === undefined;
  if (isPlainStart) await world.transaction((trx) => prepareAgents(model, trx, found));
  return names.name(found.id);
}

async function finish(
  world: ModelState,
  { work, how }: Extract<Step, { type: "finish" }>,
): Promise<string> {
  const { model, works } = world;
  const found = works.get(work);
  if (found === undefined) throw new Error(`no work ${work}`);
  works.delete(work);
  const error = how === "succeed" ? undefined : how;
  return answerOf(
    await world.transaction((trx) => completeJob(model, trx, found.build, found.workerId, error)),
  );
}

async function connect(
  world: ModelState,
  { session, token }: Extract<Step, { type: "connect" }>,
): Promise<string> {
  const { model, sessions, names } = world;
  const agent = model.committed.liveAgent(names.id(token));
  if (agent === undefined) return "refused";
  const made = { agentId: agent.id, connectionId: session, authenticatedAtMs: world.nowMs };
  sessions.set(session, made);
  await world.query((trx) => markConnected(model, trx, made));
  return names.name(agent.id);
}
