import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuild } from "@slipway/api/workspaces/build-routes";
import { revokeExternalAgentTokens } from "@slipway/api/workspaces/external-agent-routes";
import {
  agentProgram,
  buildAgent,
  connectWithToken,
  firstAgent,
  makeWorkspace,
  pushTemplate,
  readAgentToken,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { dropAgents, restoreAgents } from "../src/features/agents/build-service.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/* Manually started agents, across stops and starts of their workspaces. */
const opened = new AsyncDisposableStack();
let server: OpenServer;
let folder: string;

beforeAll(async () => {
  await buildAgent();
  folder = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterAll(() => opened.disposeAsync());

async function makeStarted(name: string): Promise<string> {
  const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      begin: { run_on: [start], blocks_login: true, run: echo begin >> ${folder}/${name} }
      end: { run_on: [stop], run: echo end >> ${folder}/${name} }
`;
  const templateId = await pushTemplate(server.admin, name, template);
  const hasAgent = (): boolean => true;
  const { id } = await makeWorkspace(server.admin, name, templateId, hasAgent);
  await waitForStatus(id, "running");
  return id;
}

async function waitForStatus(id: string, status: "running" | "stopped"): Promise<void> {
  await waitForWorkspace(server.admin, id, (workspace) => workspace.latest_build.status === status);
}

async function build(id: string, transition: "start" | "stop"): Promise<void> {
  await server.admin.call(createBuild, { params: { workspace: id }, body: { transition } });
  await waitForStatus(id, transition === "start" ? "running" : "stopped");
}

it("keeps a running agent: it runs its stop scripts, and its start scripts at the next start", async () => {
  const id = await makeStarted("kept");
  const token = await readAgentToken(server.admin, id);
  const agent = spawn(process.execPath, [agentProgram], {
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      CODER_AGENT_URL: server.url,
      CODER_AGENT_TOKEN: token,
    },
    stdio: "ignore",
  });
  const exited = once(agent, "exit");
  try {
    const ran = async (): Promise<string> => readFile(join(folder, "kept"), "utf8").catch(() => "");
    const isReady = (): Promise<unknown> =>
      waitForWorkspace(server.admin, id, (workspace) => {
        const found = firstAgent(workspace);
        return found?.status === "connected" && found.lifecycle_state === "ready";
      });
    await isReady();
    await build(id, "stop");
    await expect.poll(ran, { timeout: 30_000 }).toBe("begin\nend\n");
    await build(id, "start");
    await isReady();
    expect(await ran()).toBe("begin\nend\nbegin\n");
    expect(await readAgentToken(server.admin, id)).toBe(token);
  } finally {
    agent.kill();
    await exited;
  }
  expect(await readFile(join(folder, "kept"), "utf8")).toBe("begin\nend\nbegin\nend\n");
});

it("refuses an agent while its workspace is stopped, and says so", async () => {
  const id = await makeStarted("stopped");
  const token = await readAgentToken(server.admin, id);
  await build(id, "stop");
  const refusal = await connectWithToken(server.url, token).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: "DialError", isOfStopped: true });
});

it("gives the token back when a start fails", async () => {
  const id = await makeStarted("failed");
  const token = await readAgentToken(server.admin, id);
  await build(id, "stop");
  await build(id, "start");
  const { id: buildId } = await server.db
    .selectFrom("workspace_builds")
    .where("workspace_id", "=", id)
    .orderBy("build_number", "desc")
    .select("id")
    .executeTakeFirstOrThrow();
  // The job of that start does the same when it fails.
  await dropAgents(server.db, buildId);
  await restoreAgents(server.db, buildId);
  await build(id, "stop");
  await build(id, "start");
  expect(await readAgentToken(server.admin, id)).toBe(token);
});

it("revokes a token of a stopped workspace only, and creates another at its start", async () => {
  const id = await makeStarted("revoked");
  const token = await readAgentToken(server.admin, id);
  const params = { workspace: id };
  const revoke = (): Promise<unknown> => server.admin.call(revokeExternalAgentTokens, { params });
  await expect(revoke()).rejects.toThrow("The workspace is not stopped");
  await build(id, "stop");
  await revoke();
  const refusal = await connectWithToken(server.url, token).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: "DialError", isOfStopped: false });
  await build(id, "start");
  expect(await readAgentToken(server.admin, id)).not.toBe(token);
});
