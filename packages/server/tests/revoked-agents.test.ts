import { randomUUID } from "node:crypto";

import type { Transition } from "@slipway/api/builds/resource";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { RpcTable } from "@slipway/rpc";
import { errorText, silentLogger, systemClock } from "@slipway/runtime";
import {
  connectExternalAgent,
  openRawAgent,
  pushTemplate,
  readAgentToken,
  requireAgent,
  waitForWorkspace,
} from "@slipway/testkit";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  Agent,
  AppHealth,
  Connection_Action,
  Connection_Type,
  Lifecycle_State,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import type { RpcCaller } from "../src/features/agents/calls/rpc-caller.ts";
import { agentRpcs } from "../src/features/agents/rpc/handlers.ts";
import { SecretBox } from "../src/platform/auth/secret-box.ts";
import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";

/* An agent whose build has ended may not do anything more, whatever it claims to be and whatever it keeps open. */

const template = `driver: external
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: http://localhost:80, health: { url: http://localhost:80/health } }
    scripts:
      start: { run: "true", run_on: [start] }
    metadata:
      cpu: { run: "true", interval: 10s }
`;

const roles = ["agent", "", "logstream", "anything"];

const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId: string;
let otherUrl: string;

beforeAll(async () => {
  const environment = { SLIPWAY_SECRET_KEY: "the key that both servers of this test have" };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  otherUrl = opened.use(await openReplica(server, environment)).url;
  templateId = await pushTemplate(server.admin, "outside", template);
});

afterAll(() => opened.disposeAsync());

interface Running {
  readonly workspace: Workspace;
  readonly token: string;
}

async function startWorkspace(): Promise<Running> {
  const body = { name: `w${randomUUID().slice(0, 8)}`, template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  const workspace = await waitForWorkspace(server.admin, id, ({ latest_build: { job } }) => {
    return job.status === "succeeded";
  });
  const token = await readAgentToken(server.admin, id);
  return { workspace, token };
}

async function build({ workspace }: Running, transition: Transition): Promise<void> {
  await server.admin.call(createBuild, {
    params: { workspace: workspace.id },
    body: { transition },
  });
}

/** Stops a workspace without any hint: by rows alone, as if all hints had been lost. */
async function stopUnheard({ workspace }: Running): Promise<void> {
  const { db } = server;
  const [jobId, buildId] = [randomUUID(), randomUUID()];
  await sql`insert into jobs (id, type, organization_id, initiator_id, file_id, workspace_id, started_at, completed_at)
    select ${jobId}, type, organization_id, initiator_id, file_id, workspace_id, now(), now()
      from jobs where id = ${workspace.latest_build.job.id}`.execute(db);
  await sql`insert into workspace_builds
      (id, workspace_id, build_number, transition, template_version_id, initiator_id, job_id, reason, owner_id)
    select ${buildId}, workspace_id, build_number + 1, 'stop', template_version_id, initiator_id, ${jobId}, reason, owner_id
      from workspace_builds where id = ${workspace.latest_build.id}`.execute(db);
}

describe("the sessions of an agent", () => {
  const ends: readonly (readonly [what: string, end: (running: Running) => Promise<void>])[] = [
    ["its workspace is stopped", (running) => build(running, "stop")],
    ["its workspace is built anew", (running) => build(running, "start")],
    ["its workspace is deleted", (running) => build(running, "delete")],
  ];

  it.each(ends)("of every role, on every replica, end when %s", async (_what, end) => {
    const running = await startWorkspace();
    await using sessions = new AsyncDisposableStack();
    const closed: Promise<number>[] = [];
    for (const url of [server.url, otherUrl]) {
      for (const role of roles) {
        const agent = sessions.use(await openRawAgent(url, running.token, { role }));
        expect(await agent.call(Agent.method.getManifest, {})).toMatchObject({ type: "message" });
        closed.push(agent.closed);
      }
    }
    await end(running);
    expect(new Set(await Promise.all(closed))).toEqual(new Set([1000]));
  });

  it("of a sub-agent end when its parent ends it", async () => {
    const running = await startWorkspace();
    const { connection } = await connectExternalAgent(server.admin, running.workspace.id, "main");
    await using _ = connection;
    const { signal } = new AbortController();
    const { agent: child } = await connection.unary(
      Agent.method.createSubAgent,
      { name: "child" },
      signal,
    );
    if (child === undefined) throw new Error("no sub-agent was made");
    await using sessions = new AsyncDisposableStack();
    const closed: Promise<number>[] = [];
    for (const role of roles) {
      const agent = await openRawAgent(server.url, parseUuid(child.authToken), { role });
      closed.push(sessions.use(agent).closed);
    }
    await connection.unary(Agent.method.deleteSubAgent, { id: child.id }, signal);
    expect(new Set(await Promise.all(closed))).toEqual(new Set([1000]));
  });
});

interface AgentIds {
  readonly agent: string;
  readonly script: string;
  readonly app: string;
}

function idsOf({ workspace }: Running): AgentIds {
  const agent = requireAgent(workspace);
  return { agent: agent.id, script: agent.scripts[0]?.id ?? "", app: agent.apps[0]?.id ?? "" };
}

/** Returns requests that a live agent may make; each of them is refused once it is not live. */
function requests({ agent, script, app }: AgentIds): Readonly<Record<string, unknown>> {
  const at = timestampFromMs(Date.now());
  return {
    GetManifest: {},
    UpdateStartup: { startup: { version: "v1.2.3" } },
    UpdateLifecycle: { lifecycle: { state: Lifecycle_State.STARTING, changedAt: at } },
    UpdateStats: { stats: { connectionCount: 1n } },
    BatchUpdateAppHealths: { updates: [{ id: encodeUuid(app), health: AppHealth.HEALTHY }] },
    BatchCreateLogs: { logs: [{ createdAt: at, output: "line" }] },
    ScriptCompleted: { timing: { scriptId: encodeUuid(script), start: at, end: at } },
    GetResourcesMonitoringConfiguration: {},
    ReportConnection: {
      connection: {
        id: encodeUuid(randomUUID()),
        action: Connection_Action.CONNECT,
        type: Connection_Type.SSH,
      },
    },
    CreateSubAgent: { name: "child" },
    DeleteSubAgent: { id: encodeUuid(agent) },
    ListSubAgents: {},
    UpdateAppStatus: { slug: "web" },
  };
}

/** RPCs that a session may call until it is closed: they neither read nor store anything of the workspace. */
const harmless = new Set([
  "GetAnnouncementBanners",
  "GetServiceBanner",
  // Its values go into a batch, which changes only the ended agent's own rows.
  "BatchUpdateMetadata",
  // Processed in memory only.
  "PushResourcesMonitoringUsage",
  // Goes to the server's log, rate-limited.
  "ReportBoundaryLogs",
  // Unknown to this server.
  "PushContextState",
]);

describe("an RPC of an agent that was stopped without a hint", () => {
  it("is known to this test", () => {
    const ids = { agent: randomUUID(), script: randomUUID(), app: randomUUID() };
    const known = new Set([...Object.keys(requests(ids)), ...harmless]);
    expect(new Set(Agent.methods.map(({ name }) => name))).toEqual(known);
  });

  it("is refused from the moment of the commit, and its HTTP requests are too", async () => {
    const running = await startWorkspace();
    const sent = requests(idsOf(running));
    const session = openSession(running);
    expect(failures(await callAll(session, sent))).toEqual([]);
    await stopUnheard(running);
    const replies = await callAll(session, sent);
    expect(new Set(failures(replies))).toEqual(new Set(Object.keys(sent)));
    for (const message of replies.values()) expect(message).toMatch(/build is outdated/);

    const headers = { "Coder-Session-Token": running.token };
    for (const path of ["gitsshkey", "reinit?wait=true", "rpc"]) {
      const response = await fetch(`${server.url}/api/v2/workspaceagents/me/${path}`, { headers });
      expect(response.status).toBe(401);
    }
  });

  it("is still answered while the stop runs, so that stop scripts can tell of themselves", async () => {
    const running = await startWorkspace();
    await stopUnheard(running);
    await server.db
      .updateTable("jobs")
      .set({ completed_at: null })
      .where("workspace_id", "=", running.workspace.id)
      .where("id", "!=", running.workspace.latest_build.job.id)
      .execute();
    const { CreateSubAgent: _, ...sent } = requests(idsOf(running));
    expect(failures(await callAll(openSession(running), sent))).toEqual([]);
  });
});

interface OpenSession {
  readonly rpcs: RpcTable<RpcCaller>;
  readonly caller: RpcCaller;
}

/** Returns a session that is never closed. */
function openSession({ workspace }: Running): OpenSession {
  const { id: agentId, name: agentName } = requireAgent(workspace);
  const rpcs = agentRpcs({
    db: server.db,
    pubsub: { subscribe: () => ({ [Symbol.dispose]: () => undefined }), publish: () => undefined },
    clock: systemClock,
    secrets: new SecretBox(["a secret of the test"]),
    metadata: { put: () => undefined },
    noteActivity: async () => undefined,
    storedLogLines: { inc: () => undefined },
    readDerpMap: () => ({ Regions: {} }),
    readAppearance: () => Promise.resolve({ announcement_banners: [] }),
    maxSubAgents: 32,
    gitAuthConfigs: 0,
    coordinate: async function* nobody() {},
  });
  const caller: RpcCaller = {
    agent: {
      agentId,
      agentName,
      buildId: workspace.latest_build.id,
      workspaceId: workspace.id,
      ownerId: workspace.owner_id,
      authenticatedAt: new Date().toISOString(),
    },
    connectionId: randomUUID(),
    apiVersion: "2.10",
    logger: silentLogger,
    spend: (_name, wanted = 1) => wanted,
    reserve: () => 0,
  };
  return { rpcs, caller };
}

/** Calls RPCs in turn; resolves to the error texts by RPC name, undefined for success. */
async function callAll(
  { rpcs, caller }: OpenSession,
  sent: Readonly<Record<string, unknown>>,
): Promise<ReadonlyMap<string, string | undefined>> {
  const errors = new Map<string, string | undefined>();
  for (const method of Agent.methods) {
    const request = sent[method.name];
    if (request === undefined) continue;
    const handler = rpcs.get(`/${method.parent.typeName}/${method.name}`);
    if (handler?.kind !== "unary") throw new Error(`no unary handler of ${method.name}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written for this method above
    const bytes = encodeMessage(method.input, request as MessageInitShape<typeof method.input>);
    const { signal } = new AbortController();
    const error = await handler.answer(caller, bytes, signal).then(() => undefined, errorText);
    errors.set(method.name, error);
  }
  return errors;
}

function failures(errors: ReadonlyMap<string, string | undefined>): readonly string[] {
  return [...errors].filter(([, error]) => error !== undefined).map(([name]) => name);
}
