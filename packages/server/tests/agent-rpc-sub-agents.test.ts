import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import {
  Agent,
  CreateSubAgentRequest_App_SharingLevel,
  CreateSubAgentRequest_DisplayApp,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { afterEach, beforeEach, expect, it } from "vitest";

import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { AgentRpcWorld } from "./support/agent-rpc-world.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";

/* The RPCs with which an agent creates sub-agents. */

let world: AgentRpcWorld;

beforeEach(async () => {
  world = await AgentRpcWorld.open();
});

afterEach(() => world[Symbol.asyncDispose]());

it("makes, lists and deletes sub-agents", async () => {
  const { VSCODE, VSCODE_INSIDERS, SSH_HELPER } = CreateSubAgentRequest_DisplayApp;
  const request = {
    name: "dev",
    directory: "/workspaces/app",
    architecture: "amd64",
    operatingSystem: "linux",
    apps: [{ slug: "web", url: "http://localhost:80" }, { slug: "-" }],
    displayApps: [SSH_HELPER, VSCODE, SSH_HELPER],
  };
  const created = await world.call(Agent.method.createSubAgent, request);
  expect(created.appCreationErrors).toMatchObject([{ index: 1, field: "slug" }]);
  const id = parseUuid(created.agent?.id ?? new Uint8Array());
  const token = parseUuid(created.agent?.authToken ?? new Uint8Array());
  const row = await world.agentRow(id);
  expect(row).toMatchObject({
    parent_id: world.seed.agent.agentId,
    workspace_build_id: world.seed.agent.buildId,
    connection_timeout_seconds: 77,
    display_apps: ["vscode", "ssh_helper"],
    directory: "/workspaces/app",
  });
  expect(row.auth_token_hash).toEqual(hashAgentToken(token));
  expect(await world.slugsOf(id)).toEqual(["76l3q1id-web"]);
  await expect(
    world.call(Agent.method.createSubAgent, { ...request, name: "DEV" }),
  ).rejects.toThrow('workspace agent name "DEV" is taken');
  await expect(
    world.call(Agent.method.createSubAgent, { ...request, name: "a--b" }),
  ).rejects.toThrow("match");

  const taken = await world.call(Agent.method.createSubAgent, {
    id: encodeUuid(id),
    displayApps: [VSCODE_INSIDERS],
  });
  expect(taken.agent).toEqual(created.agent);
  expect(await world.agentRow(id)).toMatchObject({
    display_apps: ["vscode_insiders"],
    directory: "/workspaces/app",
  });
  expect((await world.call(Agent.method.listSubAgents, {})).agents).toEqual([created.agent]);
  const { workspaceId } = world.seed.agent;
  const hint = topics.workspace(workspaceId);
  expect(world.published).toEqual([hint, hint]);

  world.published.length = 0;
  await world.call(Agent.method.deleteSubAgent, { id: encodeUuid(id) });
  expect(world.published).toEqual([topics.builds(workspaceId), topics.workspace(workspaceId)]);
  expect((await world.call(Agent.method.listSubAgents, {})).agents).toEqual([]);
  await expect(world.call(Agent.method.deleteSubAgent, { id: encodeUuid(id) })).rejects.toThrow(
    "no sub-agent",
  );
  await world.call(Agent.method.deleteSubAgent, { id: encodeUuid(world.seed.agent.agentId) });
  expect(await world.agentRow()).toMatchObject({ deleted: false });
  const again = await world.call(Agent.method.createSubAgent, request);
  expect(again.agent?.name).toBe("dev");
});

it("records which apps of a sub-agent are shared", async () => {
  const { AUTHENTICATED, OWNER, PUBLIC } = CreateSubAgentRequest_App_SharingLevel;
  const app = { url: "http://localhost:80" };
  await world.call(Agent.method.createSubAgent, {
    name: "dev",
    apps: [
      { ...app, slug: "web", share: PUBLIC },
      { ...app, slug: "own", share: OWNER },
      { ...app, slug: "team", share: AUTHENTICATED },
    ],
  });
  await world.call(Agent.method.createSubAgent, { name: "two", apps: [{ ...app, slug: "own" }] });
  const entries = await world.database.db
    .selectFrom("audit_log")
    .where("resource_id", "=", world.seed.agent.workspaceId)
    .select(["user_id", "action", "resource_type", "diff", "additional_fields"])
    .execute();
  expect(entries).toMatchObject([
    {
      user_id: world.seed.agent.ownerId,
      action: "write",
      resource_type: "workspace",
      diff: { app_share_levels: { old: null } },
      additional_fields: { agent_name: "dev" },
    },
  ]);
  const text = JSON.stringify(entries[0]?.diff);
  expect(text).toMatch(/"new":\{"\w+-web":"public","\w+-team":"authenticated"\}/);
});

it("records once that shared apps ended with their sub-agent, however often it is deleted", async () => {
  const { PUBLIC, OWNER } = CreateSubAgentRequest_App_SharingLevel;
  const { db } = world.database;
  const created = await world.call(Agent.method.createSubAgent, {
    name: "dev",
    apps: [
      { slug: "web", url: "http://localhost:80", share: PUBLIC },
      { slug: "own", url: "http://localhost:80", share: OWNER },
    ],
  });
  const id = parseUuid(created.agent?.id ?? new Uint8Array());
  await using changing = await holdOpen(db, (trx) => {
    const child = trx.selectFrom("workspace_agents").where("id", "=", id);
    return child.select("id").forUpdate().execute();
  });
  const deletions = [1, 2].map(() =>
    world.call(Agent.method.deleteSubAgent, { id: encodeUuid(id) }),
  );
  const ended = Promise.allSettled(deletions);
  await waitForBlocked(db, 2);
  await changing.commit();
  const outcomes = (await ended).map(({ status }) => status);
  expect(outcomes.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(["fulfilled", "rejected"]);
  const entries = await db
    .selectFrom("audit_log")
    .where("resource_id", "=", world.seed.agent.workspaceId)
    .orderBy("created_at")
    .select(["user_id", "diff", "additional_fields"])
    .execute();
  expect(entries).toHaveLength(2);
  expect(entries[1]).toMatchObject({
    user_id: world.seed.agent.ownerId,
    diff: { app_share_levels: { new: null } },
    additional_fields: { agent_name: "dev" },
  });
  expect(JSON.stringify(entries[1]?.diff)).toMatch(/"old":\{"\w+-web":"public"\}/);
});

it("lets a sub-agent have logs at once", async () => {
  const created = await world.call(Agent.method.createSubAgent, { name: "dev" });
  const id = parseUuid(created.agent?.id ?? new Uint8Array());
  const position = await world.database.db
    .selectFrom("workspace_agent_log_positions")
    .where("workspace_agent_id", "=", id)
    .select("last_id")
    .executeTakeFirst();
  expect(position).toEqual({ last_id: 0 });
});
