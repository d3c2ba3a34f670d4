import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  openRawAgent,
  pushTemplate,
  type RawReply,
  readAgentToken,
  requireAgent,
  waitForWorkspace,
} from "@slipway/testkit";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import type { SubAgent } from "@slipway/wire/protobuf/gen/agent_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";

/* An agent has a limited number of sub-agents, each with limited text, and cannot change any others. */

const template = `driver: external
agents:
  main: { os: linux, arch: amd64 }
  second: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId: string;
let workspace: Workspace;
let count = 0;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  templateId = await pushTemplate(server.admin, "outside", template);
});
beforeEach(async () => {
  workspace = await startWorkspace(server.admin);
});

afterAll(() => opened.disposeAsync());

async function startWorkspace(client: Client): Promise<Workspace> {
  count += 1;
  const body = { name: `w${count}`, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  return waitForWorkspace(client, id, ({ latest_build: { job } }) => job.status === "succeeded");
}

/** Calls an RPC as the agent of a token, over a separate session. */
async function call(
  token: string,
  ...[method, input]: Parameters<Awaited<ReturnType<typeof openRawAgent>>["call"]>
): Promise<RawReply> {
  await using agent = await openRawAgent(server.url, token);
  return await agent.call(method, input);
}

async function makeSubAgent(token: string, name: string): Promise<SubAgent> {
  const reply = await call(token, Agent.method.createSubAgent, { name });
  if (reply.type !== "message") throw new Error(JSON.stringify(reply));
  const { agent } = parseMessage(Agent.method.createSubAgent.output, reply.bytes);
  if (agent === undefined) throw new Error("no sub-agent was made");
  return agent;
}

async function namesOf(token: string): Promise<readonly string[]> {
  const reply = await call(token, Agent.method.listSubAgents, {});
  if (reply.type !== "message") throw new Error(JSON.stringify(reply));
  return parseMessage(Agent.method.listSubAgents.output, reply.bytes).agents.map(
    ({ name }) => name,
  );
}

it("makes 32 sub-agents of an agent at once and not one more, lists them, and deletes their workspace", async () => {
  const token = await readAgentToken(server.admin, workspace.id, "main");
  const apps = Array.from({ length: 4 }, (_, index) => ({
    slug: `app${index}`,
    command: "x".repeat(3_900),
  }));
  await using agent = await openRawAgent(server.url, token);
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      agent.call(Agent.method.createSubAgent, { name: `sub${index}`, apps }),
    ),
  );
  const refused = replies.filter(({ type }) => type === "error");
  expect(refused).toHaveLength(8);
  for (const reply of refused) {
    expect(reply).toMatchObject({
      message: "the agent has 32 sub-agents, at most 32 are allowed: delete one first",
    });
  }
  const made = await namesOf(token);
  expect(made).toHaveLength(32);

  const listed = await server.admin.call(listWorkspaces, { query: {} });
  expect(listed.workspaces.find(({ id }) => id === workspace.id)).toBeDefined();
  expect(JSON.stringify(listed).length).toBeLessThan(2 * 1024 * 1024);

  const [first = ""] = made;
  const [{ id } = { id: "" }] = await server.db
    .selectFrom("workspace_agents")
    .where("name", "=", first)
    .select("id")
    .execute();
  expect(await call(token, Agent.method.deleteSubAgent, { id: encodeUuid(id) })).toMatchObject({
    type: "message",
  });
  // A deleted one does not count.
  await makeSubAgent(token, "another");

  const params = { workspace: workspace.id };
  await server.admin.call(createBuild, { params, body: { transition: "delete" } });
  await expect
    .poll(async () => (await server.request("GET", `/workspaces/${workspace.id}`)).status)
    .toBe(404);
});

it("makes no sub-agent of a sub-agent", async () => {
  const token = await readAgentToken(server.admin, workspace.id, "main");
  const child = await makeSubAgent(token, "child");
  const reply = await call(parseUuid(child.authToken), Agent.method.createSubAgent, {
    name: "grandchild",
  });
  expect(reply).toEqual({ type: "error", message: "a sub-agent has no sub-agents of its own" });
});

it("deletes and takes over the agent's own sub-agents only", async () => {
  const { client } = await addPerson(server, "ann");
  const foreign = await startWorkspace(client);
  const tokens = {
    main: await readAgentToken(server.admin, workspace.id, "main"),
    second: await readAgentToken(server.admin, workspace.id, "second"),
    foreign: await readAgentToken(client, foreign.id, "main"),
  };
  const ownChild = await makeSubAgent(tokens.main, "own");
  const others = [
    await makeSubAgent(tokens.second, "sibling"),
    await makeSubAgent(tokens.foreign, "stranger"),
    // Root agents: of the same workspace and of another one.
    ...workspace.latest_build.resources
      .flatMap(({ agents }) => agents)
      .filter(({ name }) => name === "second")
      .map(({ id }) => ({ id: encodeUuid(id) })),
    { id: encodeUuid(requireAgent(foreign).id) },
  ];
  for (const { id } of others) {
    for (const caller of [tokens.main, parseUuid(ownChild.authToken)]) {
      expect(await call(caller, Agent.method.deleteSubAgent, { id })).toMatchObject({
        type: "error",
        message: expect.stringContaining("no sub-agent"),
      });
      expect(await call(caller, Agent.method.createSubAgent, { id })).toMatchObject({
        type: "error",
        message: expect.stringContaining("no child"),
      });
    }
  }
  // Itself: a sub-agent may not end itself this way, and stock agents treat the response as a success.
  const self = { id: ownChild.id };
  expect(
    await call(parseUuid(ownChild.authToken), Agent.method.deleteSubAgent, self),
  ).toMatchObject({ type: "message" });
  expect(await namesOf(tokens.main)).toEqual(["own"]);
  expect(await namesOf(tokens.second)).toEqual(["sibling"]);
  expect(await namesOf(tokens.foreign)).toEqual(["stranger"]);
  await call(tokens.main, Agent.method.deleteSubAgent, self);
  expect(await namesOf(tokens.main)).toEqual([]);
});
