import { randomUUID } from "node:crypto";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import {
  connectExternalAgent,
  connectWithToken,
  pushTemplate,
  waitForWorkspace,
} from "@slipway/testkit";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { Agent, Connection_Action, Connection_Type } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";

import type { OpenServer } from "./open-server.ts";
import { addPerson, type Client } from "./people.ts";

/** An agent, and a resource of each kind that an RPC can name. */
export interface NamedAgent {
  readonly id: string;
  readonly token: string;
  readonly appId: string;
  readonly scriptId: string;
  readonly logSourceId: string;
  readonly connectionId: string;
}

/** The relations of a named agent to the calling one. */
export const relations = [
  "itself",
  "child",
  "parent",
  "sibling",
  "same owner",
  "stranger",
] as const;
export type Relation = (typeof relations)[number];

/** The agent `main` of a workspace, or its child. */
export type CallerKind = "agent" | "sub-agent";

/** Two of Ann's workspaces and one of Bob's; the first has two agents, one of them with a child. */
export interface AgentsWorld {
  /** The agents by their relation to the caller; only the child has a parent. */
  readonly seenBy: Readonly<Record<CallerKind, Partial<Record<Relation, NamedAgent>>>>;
  /** Returns all rows that belong to an agent, except its connection times. */
  rowsOf(agentId: string): Promise<unknown>;
}

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      prepare: { run_on: [start], run: echo prepared }
    metadata:
      answer: { display_name: Answer, interval: 10s, timeout: 5s, run: echo 42 }
    apps:
      web:
        display_name: Web
        url: http://localhost:8080
        health: { url: http://localhost:8080/, interval: 10s, threshold: 3 }
  second:
    os: linux
    arch: amd64
    scripts:
      prepare: { run_on: [start], run: echo prepared }
    apps:
      other:
        display_name: Other
        url: http://localhost:8081
        health: { url: http://localhost:8081/, interval: 10s, threshold: 3 }
`;

const never = new AbortController().signal;

export async function openAgentsWorld(server: OpenServer): Promise<AgentsWorld> {
  const templateId = await pushTemplate(server.admin, "agents", template);
  const ann = await addPerson(server, "ann");
  const bob = await addPerson(server, "bob");
  const dev = await makeWorkspace(ann.client, templateId, "dev");
  const main = await nameAgent(server, ann.client, dev, "main");
  const child = await nameChild(server, main.token, "inner");
  const sibling = await nameAgent(server, ann.client, dev, "second");
  const elsewhere = await makeWorkspace(ann.client, templateId, "elsewhere");
  const sameOwner = await nameChild(
    server,
    (await nameAgent(server, ann.client, elsewhere, "main")).token,
    "inner",
  );
  const bobs = await makeWorkspace(bob.client, templateId, "dev");
  const stranger = await nameChild(
    server,
    (await nameAgent(server, bob.client, bobs, "main")).token,
    "inner",
  );
  const others = { sibling, "same owner": sameOwner, stranger };
  return {
    seenBy: {
      agent: { itself: main, child, ...others },
      "sub-agent": { itself: child, parent: main, ...others },
    },
    rowsOf: (agentId) => readRows(server, agentId),
  };
}

async function makeWorkspace(client: Client, templateId: string, name: string): Promise<string> {
  const body = { name, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(client, id, ({ latest_build: { job } }) => job.status === "succeeded");
  return id;
}

async function nameAgent(
  server: OpenServer,
  client: Client,
  workspaceId: string,
  agentName: string,
): Promise<NamedAgent> {
  const { token, connection } = await connectExternalAgent(client, workspaceId, agentName);
  await connection.close();
  return describe(server, token);
}

async function nameChild(
  server: OpenServer,
  parentToken: string,
  name: string,
): Promise<NamedAgent> {
  const { connection } = await connectWithToken(server.url, parentToken);
  const request: MessageInitShape<typeof Agent.method.createSubAgent.input> = {
    name,
    directory: "/",
    architecture: "amd64",
    operatingSystem: "linux",
    apps: [
      {
        slug: "web",
        url: "http://localhost:1",
        healthcheck: { url: "http://localhost:1", interval: 10, threshold: 3 },
      },
    ],
  };
  const { agent } = await connection.unary(Agent.method.createSubAgent, request, never);
  await connection.close();
  return describe(server, parseUuid(agent?.authToken ?? new Uint8Array()));
}

/** Looks up the resources of an agent, and reports a connection and a log line as that agent. */
async function describe(server: OpenServer, token: string): Promise<NamedAgent> {
  const { connection } = await connectWithToken(server.url, token);
  const { agentId, apps, scripts } = await connection.unary(Agent.method.getManifest, {}, never);
  const connectionId = randomUUID();
  const logSourceId = randomUUID();
  const logSource = { id: logSourceId, display_name: "Test", icon: "" };
  await server.request("POST", "/workspaceagents/me/log-source", logSource, {
    headers: { "Coder-Session-Token": token },
  });
  await connection.unary(
    Agent.method.reportConnection,
    {
      connection: {
        id: encodeUuid(connectionId),
        action: Connection_Action.CONNECT,
        type: Connection_Type.SSH,
        ip: "192.0.2.1",
      },
    },
    never,
  );
  await connection.close();
  const nothing = encodeUuid(randomUUID());
  return {
    id: parseUuid(agentId),
    token,
    appId: parseUuid(apps[0]?.id ?? nothing),
    // A child has no scripts: this id does not exist.
    scriptId: parseUuid(scripts[0]?.id ?? nothing),
    logSourceId,
    connectionId,
  };
}

async function readRows({ db }: OpenServer, id: string): Promise<unknown> {
  const { rows } = await sql<{ readonly rows: unknown }>`
    with of_agent (name, row) as (
      select 'agent', to_jsonb(t) - '{first_connected_at,last_connected_at,disconnected_at,updated_at}'::text[]
          - '{connected_at,connection_id,last_connected_replica_id}'::text[]
        from workspace_agents t where id = ${id}
      union all select 'source', to_jsonb(t) from workspace_agent_log_sources t where workspace_agent_id = ${id}
      union all select 'log', to_jsonb(t) from workspace_agent_logs t where workspace_agent_id = ${id}
      union all select 'metadata', to_jsonb(t) from workspace_agent_metadata t where workspace_agent_id = ${id}
      union all select 'app', to_jsonb(t) from workspace_apps t where workspace_agent_id = ${id}
      union all select 'stats', to_jsonb(t) from workspace_agent_stats t where workspace_agent_id = ${id}
      union all select 'connection', to_jsonb(t) from workspace_connections t where workspace_agent_id = ${id}
      union all select 'status', to_jsonb(t)
        from workspace_app_statuses t join workspace_apps a on a.id = t.workspace_app_id
        where a.workspace_agent_id = ${id}
      union all select 'timing', to_jsonb(t)
        from workspace_agent_script_timings t join workspace_agent_scripts s on s.id = t.script_id
        where s.workspace_agent_id = ${id}
      union all select 'child', to_jsonb(t.id) from workspace_agents t where parent_id = ${id} and not deleted
    )
    select jsonb_agg(jsonb_build_array(name, row) order by name, row::text) as rows from of_agent`.execute(
    db,
  );
  return rows[0]?.rows;
}
