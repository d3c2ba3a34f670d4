import { driversWith } from "@slipway/drivers";
import { RpcError } from "@slipway/rpc";
import { silentLogger } from "@slipway/runtime";
import {
  type AgentSession,
  createSubAgent,
  Refusal,
  invalidatePrebuilds,
  markAllAlive,
  markDisconnected,
  markReinitSent,
  takeOverRows,
  restoreWorkspaces,
  Unavailable,
  updateAgentStartup,
  type UserCaller,
  WorkspaceTurns,
} from "@slipway/server/claims";
import { acquire, connect, ManualDriver, report, type StageWorkspace } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { sql } from "kysely";

import { limits } from "./history-world.ts";
import { nameRows } from "./name-rows.ts";
import { readSqlRows } from "./sql-rows.ts";
import type { SqlState } from "./sql-state.ts";
import type { Step } from "./step.ts";
import { tiesOf } from "./ties.ts";

/** Takes a step with the production services and statements; resolves to the answer that its actor received. */
export async function takeSqlStep(world: SqlState, step: Step): Promise<string> {
  try {
    return await take(world, step);
  } catch (error) {
    if (isRefusal(error) || error instanceof RpcError) return "refused";
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Refusal && !(error instanceof Unavailable);
}

async function take(world: SqlState, step: Step): Promise<string> {
  const { stage, names, db } = world;
  switch (step.type) {
    case "look":
      await stage.look(limits);
      await breakTies(world);
      return "";
    case "create": {
      const { user, name, isPooled } = step;
      const presetId = isPooled ? await activePreset(world) : undefined;
      await stage.create(callerOf(world, user), { name, ...(presetId && { presetId }) });
      return "";
    }
    case "create-together":
      return createTogether(world, step);
    case "build": {
      const { user, workspace, transition } = step;
      await stage.build(callerOf(world, user), names.id(workspace), transition);
      return "";
    }
    case "cancel":
      await stage.cancel(stage.admin, names.id(step.build));
      return "";
    case "acquire":
      return acquireNext(world, step);
    case "finish": {
      const work = world.works.get(step.work);
      if (work === undefined) throw new Error(`no work ${step.work}`);
      world.works.delete(step.work);
      return answerOf(await work.end(step.how));
    }
    case "connect": {
      const session = await connect(stage.needs, await tokenOf(world, step.token));
      if (session === undefined) return "refused";
      world.sessions.set(step.session, { session, ageMs: 0 });
      return names.name(session.agentId);
    }
    case "beat":
      await beat(db, await sessionOf(world, step.session));
      return "";
    case "disconnect":
      await markDisconnected(db, await sessionOf(world, step.session));
      return "";
    case "startup":
      await updateAgentStartup(db, await sessionOf(world, step.session), startups[step.decides]);
      return "";
    case "report": {
      const changedAt = await world.time.before(step.lateMs);
      await report(stage.needs, await sessionOf(world, step.session), step.state, changedAt);
      return "";
    }
    case "sub-agent":
      return makeSubAgent(world, await sessionOf(world, step.session));
    case "grant":
      return answerOf(await markReinitSent(db, names.id(step.agent)));
    case "promote":
      await stage.activate(names.id(step.version));
      return "";
    case "invalidate":
      await invalidatePrebuilds(db, stage.admin, stage.templateId);
      return "";
    case "restore":
      return restore(world, names.id(step.worker));
  }
}

/** Claims in one transaction as far as it goes, then creates the others one by one. */
async function createTogether(
  world: SqlState,
  { wanted }: Extract<Step, { type: "create-together" }>,
): Promise<string> {
  const { stage, names } = world;
  const presetId = await activePreset(world);
  const requests = wanted.map(({ user, name }) => {
    return { caller: callerOf(world, user), wanted: { name, presetId } };
  });
  const claimed = await stage.claimTogether(requests);
  const answers: string[] = [];
  for (const [index, request] of requests.entries()) {
    answers.push(claimed[index] === undefined ? await answerAlone(world, request) : "");
    // What they make at the same moment is named in the order in which it is made.
    nameRows(names, await readSqlRows(world));
  }
  await breakTies(world);
  return answers.join(",");
}

async function answerAlone(
  world: SqlState,
  { caller, wanted }: { readonly caller: UserCaller; readonly wanted: StageWorkspace },
): Promise<string> {
  try {
    await world.stage.create(caller, wanted);
    return "";
  } catch (error) {
    if (isRefusal(error)) return "refused";
    throw error;
  }
}

/** Records that a session is alive, as a server's heartbeat does. */
async function beat(db: SqlState["db"], session: AgentSession): Promise<void> {
  const { liveAgents, holders } = await markAllAlive(db, [session]);
  if (holders.has(session.connectionId) || !liveAgents.has(session.agentId)) return;
  await takeOverRows(db, [session], undefined);
}

async function breakTies(world: SqlState): Promise<void> {
  const { db, names } = world;
  const rows = await readSqlRows(world);
  nameRows(names, rows);
  for (const { buildId, workspaceId, isFirst, olderMs } of tiesOf(names, rows)) {
    const at = await world.time.before(olderMs);
    await sql`
      with build as (
          update workspace_builds set created_at = ${at} where id = ${buildId} returning job_id),
        job as (update jobs set created_at = ${at} from build where jobs.id = build.job_id)
      update workspaces set created_at = ${at} where id = ${workspaceId} and ${isFirst}`.execute(
      db,
    );
  }
}

function answerOf(isDone: boolean): string {
  return isDone ? "" : "refused";
}

function callerOf({ callers }: SqlState, user: string): UserCaller {
  const caller = callers.get(user);
  if (caller === undefined) throw new Error(`no user ${user}`);
  return caller;
}

async function sessionOf({ sessions, time }: SqlState, name: string): Promise<AgentSession> {
  const found = sessions.get(name);
  if (found === undefined) throw new Error(`no session ${name}`);
  return { ...found.session, authenticatedAt: await time.before(found.ageMs) };
}

/** The startup reports of agents: ours and Coder's. */
const startups = {
  identity: startupOf("v2.37.0+slipway.0.1.0"),
  frames: startupOf("v2.37.0"),
} as const;

function startupOf(version: string) {
  return { version, expandedDirectory: "/", subsystems: [], apiVersion: "2.10" };
}

async function activePreset({ db, stage, names }: SqlState): Promise<string> {
  const { active_version_id: versionId } = await db
    .selectFrom("templates")
    .where("id", "=", stage.templateId)
    .select("active_version_id")
    .executeTakeFirstOrThrow();
  return names.id(`preset of ${names.name(versionId)}`);
}

async function acquireNext(
  { stage, works, names, db }: SqlState,
  { work, worker }: Extract<Step, { type: "acquire" }>,
): Promise<string> {
  const workerId = names.id(worker);
  const active = [...works.values()].filter((one) => one.workerId === workerId);
  const jobIds = active.map(({ job }) => job.id);
  const taken = await acquire(stage.needs, workerId, jobIds);
  if (taken === undefined) return "nothing";
  works.set(work, taken);
  const { id } = await db
    .selectFrom("workspace_builds")
    .where("job_id", "=", taken.job.id)
    .select("id")
    .executeTakeFirstOrThrow();
  return names.name(id);
}

async function tokenOf({ db, stage, names }: SqlState, token: string): Promise<string> {
  const { auth_token_encrypted: sealed } = await db
    .selectFrom("workspace_agents")
    .where("auth_token_hash", "=", Buffer.from(names.id(token), "hex"))
    .select("auth_token_encrypted")
    .limit(1)
    .executeTakeFirstOrThrow();
  return stage.needs.secrets.open(sealed);
}

const { createSubAgent: rpc } = Agent.method;

async function makeSubAgent(
  { db, stage, names }: SqlState,
  { agentId, authenticatedAt }: AgentSession,
): Promise<string> {
  const parent = names.name(agentId).split("/").at(-1) ?? "";
  const input = {
    name: `${parent}-sub`,
    directory: "/",
    architecture: "amd64",
    operatingSystem: "linux",
  };
  const request = parseMessage(rpc.input, encodeMessage(rpc.input, input));
  const { secrets, pubsub } = stage.needs;
  const agent = {
    agentId,
    agentName: parent,
    buildId: "",
    workspaceId: "",
    ownerId: "",
    authenticatedAt,
  };
  // The model has neither limit.
  const needs = { db, secrets, pubsub, maxSubAgents: Infinity };
  const caller = { agent, spend: (_: string, wanted = 1) => wanted };
  await createSubAgent(needs, caller, request);
  return "";
}

async function restore({ db, stage }: SqlState, workerId: string): Promise<string> {
  const { driver, secrets } = stage.needs;
  const held = new ManualDriver(driver);
  held.end("succeed");
  const needs = {
    db,
    secrets,
    drivers: new Map([[driver, held]]),
    accessUrl: "",
    unpackDir: "",
    turns: new WorkspaceTurns(),
  };
  const { signal } = new AbortController();
  const drivers = driversWith("needsRestore");
  await restoreWorkspaces(needs, { workerId, drivers, logger: silentLogger }, signal);
  return "";
}
