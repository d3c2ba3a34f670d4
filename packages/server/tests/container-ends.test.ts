import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import { connectWithToken, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";

import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { hearHints } from "./support/hear-hints.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { WatchedDriver } from "./support/watched-driver.ts";

/* Agents that end outside of builds: what is recorded, and when they are started again. */

const template = `driver: docker
parameters: { size: { default: 1, type: number } }
agents:
  main:
    container:
      image: debian:12
      memory: \${{ parameters.size }}GiB
      environment: { OWNER: "\${{ owner.username }}" }
`;

const opened = new AsyncDisposableStack();
const driver = new WatchedDriver();
let server: OpenServer;
let templateId: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), {}, [driver]));
  templateId = await pushTemplate(server.admin, "box", template);
});

afterAll(() => opened.disposeAsync());

/** Creates a workspace and connects its agent, as far as a server can tell. */
async function openWorkspace(
  name: string,
): Promise<{ readonly id: string; readonly token: string }> {
  const body = { name, template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(
    server.admin,
    id,
    ({ latest_build: { job } }) => job.status === "succeeded",
  );
  const token = driver.lastStart(id).agents[0]?.token ?? "";
  const { connection } = await connectWithToken(server.url, token);
  onTestFinished(() => connection.close());
  await expect.poll(async () => (await agentOf(id)).status).toBe("connected");
  return { id, token };
}

async function agentOf(workspaceId: string): Promise<WorkspaceAgent> {
  const params = { workspace: workspaceId };
  const { latest_build: build } = await server.admin.call(getWorkspace, { params });
  const [agent] = build.resources.flatMap(({ agents }) => agents);
  if (agent === undefined) throw new Error("the build has no agent");
  return agent;
}

async function logOf(workspaceId: string): Promise<readonly string[]> {
  const { id: agent } = await agentOf(workspaceId);
  const lines = await server.admin.call(getAgentLogs, { params: { agent }, query: {} });
  return lines.map(({ output }) => output);
}

function requestBuild(workspaceId: string, transition: "start" | "stop"): Promise<unknown> {
  return server.request("POST", `/workspaces/${workspaceId}/builds`, { transition });
}

it("starts agents in the containers that the template describes, with its values", async () => {
  const { id } = await openWorkspace("described");
  const { agents } = driver.lastStart(id);
  expect(agents[0]?.container).toMatchObject({
    image: "debian:12",
    memoryBytes: 2 ** 30,
    environment: { OWNER: "admin" },
  });
});

it("refuses values that make no container, before there is a workspace", async () => {
  const rich_parameter_values = [{ name: "size", value: "0" }];
  const body = { name: "none", template_id: templateId, rich_parameter_values };
  expect(await server.request("POST", "/users/me/workspaces", body)).toMatchObject({
    status: 400,
    body: {
      validations: [
        { detail: expect.stringContaining('agent main, memory: found "0GiB", wanted a size') },
      ],
    },
  });
  expect(await server.request("GET", "/users/me/workspace/none")).toMatchObject({ status: 404 });
});

it("records the end of an agent at once, with its reason, and does not start it again", async () => {
  const { id, token } = await openWorkspace("killed");
  const { id: agentId } = await agentOf(id);
  const watched = [topics.workspace(id), topics.agentLogs(agentId)];
  const heard = await hearHints(opened, server, watched);
  driver.kill(id);
  driver.report(token, "out-of-memory");
  await expect
    .poll(() => agentOf(id))
    .toMatchObject({ status: "disconnected", lifecycle_state: "off", health: { healthy: false } });
  expect(await logOf(id)).toEqual(["container 0123 out-of-memory"]);
  await expect.poll(heard).toEqual([true, true]);
  expect(driver.startsOf(id)).toBe(1);
});

it("records the end of an agent that never connected, and forgets it when one connects", async () => {
  const body = { name: "stillborn", template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(
    server.admin,
    id,
    ({ latest_build: { job } }) => job.status === "succeeded",
  );
  const token = driver.lastStart(id).agents[0]?.token ?? "";
  expect(await agentOf(id)).toMatchObject({ status: "connecting" });
  driver.kill(id);
  driver.report(token);
  await expect
    .poll(() => agentOf(id))
    .toMatchObject({
      status: "disconnected",
      lifecycle_state: "off",
      disconnected_at: expect.any(String),
      health: { healthy: false, reason: "agent is not running: container 0123 ended" },
    });
  driver.restart();
  await expect.poll(() => agentOf(id)).toMatchObject({ status: "connecting" });
  const { connection } = await connectWithToken(server.url, token);
  onTestFinished(() => connection.close());
  await expect.poll(async () => (await agentOf(id)).status).toBe("connected");
  expect((await agentOf(id)).health.reason).toBeUndefined();
});

it("takes a report for a hint: an agent that runs is not off", async () => {
  const { id, token } = await openWorkspace("running");
  const other = await openWorkspace("other");
  driver.report(token);
  driver.report("token of nobody");
  driver.kill(other.id);
  driver.report(other.token);
  // Reports are handled in order.
  await expect.poll(async () => (await agentOf(other.id)).lifecycle_state).toBe("off");
  expect(await agentOf(id)).toMatchObject({ status: "connected", lifecycle_state: "created" });
  expect(await logOf(id)).toEqual([]);
});

it("leaves the end of an agent to the build that stops it", async () => {
  const { id, token } = await openWorkspace("stopped");
  const other = await openWorkspace("beside");
  const release = driver.hold("stop", id);
  await requestBuild(id, "stop");
  driver.kill(id);
  driver.report(token);
  driver.kill(other.id);
  driver.report(other.token);
  await expect.poll(async () => (await agentOf(other.id)).lifecycle_state).toBe("off");
  release();
  await waitForWorkspace(server.admin, id, ({ latest_build: one }) => one.status === "stopped");
  const { rows } = await linesOf(token);
  expect(rows).toEqual([]);
});

async function linesOf(token: string): Promise<{ readonly rows: readonly string[] }> {
  const lines = await server.db
    .selectFrom("workspace_agent_logs as log")
    .innerJoin("workspace_agents as agent", "agent.id", "log.workspace_agent_id")
    .where("agent.auth_token_hash", "=", hashAgentToken(token))
    .select("log.output")
    .execute();
  return { rows: lines.map(({ output }) => output) };
}

it("starts again what a restart of the infrastructure ended, but nothing that is stopped", async () => {
  const { id } = await openWorkspace("restored");
  const stopped = await openWorkspace("resting");
  await requestBuild(stopped.id, "stop");
  await waitForWorkspace(server.admin, stopped.id, ({ latest_build: { status } }) => {
    return status === "stopped";
  });
  driver.restart();
  await expect.poll(() => driver.isRunning(id)).toBe(true);
  expect(driver.startsOf(id)).toBe(2);
  expect(driver.lastStart(id).agents[0]?.container?.image).toBe("debian:12");
  // Another look finds everything running.
  const third = await openWorkspace("third");
  driver.kill(third.id);
  driver.restart();
  await expect.poll(() => driver.isRunning(third.id)).toBe(true);
  expect(driver.isRunning(stopped.id)).toBe(false);
});

it("does not start a workspace again while a build stops it, nor after", async () => {
  const { id } = await openWorkspace("contested");
  const release = driver.hold("start", id);
  driver.restart();
  await expect.poll(() => driver.waiting.has(id)).toBe(true);
  await requestBuild(id, "stop");
  // A whole build of another workspace, after which the stop would be over if it did not wait.
  await openWorkspace("meanwhile");
  release();
  await waitForWorkspace(server.admin, id, ({ latest_build: one }) => one.status === "stopped");
  expect(driver.isRunning(id)).toBe(false);
  const witness = await openWorkspace("witness");
  driver.restart();
  await expect.poll(() => driver.isRunning(witness.id)).toBe(true);
  expect(driver.isRunning(id)).toBe(false);
});
