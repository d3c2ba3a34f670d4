import { randomUUID } from "node:crypto";

import type { AgentLog } from "@slipway/api/agents/log-routes";
import { firstAgent, makeWorkspace, pushTemplate, readAgentToken } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";

import { packLines } from "../src/features/agents/logs/log-lines.ts";
import { appendLogs, maxLogsPerRead } from "../src/features/agents/logs/log-store.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { openTextSocket } from "./support/text-socket.ts";
import { wireRequest } from "./support/wire-request.ts";

/* Followers of the logs of agents, which share reads of the same log. */

const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";

let server: OpenServer;
let templateId: string;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  templateId = await pushTemplate(server.admin, "external", template);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Makes a workspace; resolves to its agent's id, and to a function that adds lines to its log. */
async function makeAgent(name: string) {
  const workspace = await makeWorkspace(server.admin, name, templateId, () => true);
  const token = await readAgentToken(server.admin, workspace.id);
  const url = `${server.url}/api/v2/workspaceagents/me/logs`;
  const write = async (outputs: readonly string[]): Promise<void> => {
    const body = { logs: outputs.map((output) => ({ output })) };
    expect(await wireRequest("PATCH", url, { token, body })).toMatchObject({ status: 200 });
  };
  return { id: firstAgent(workspace)?.id ?? "", write };
}

/** Follows the log of an agent from its first line; resolves once that is accepted. */
async function follow(agentId: string) {
  const url = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${agentId}/logs?follow`;
  const { raw, messages } = openTextSocket(url, server.admin.headers);
  onTestFinished(() => raw.terminate());
  await new Promise((resolve) => raw.once("open", resolve));
  const lines = (): readonly AgentLog[] => {
    const all: AgentLog[] = [];
    for (const text of messages) all.push(...JSON.parse(text));
    return all;
  };
  return { messages, lines, outputs: () => lines().map(({ output }) => output) };
}

it("get all of a log that takes more than one read, before anything new comes", async () => {
  const { id, write } = await makeAgent("long");
  const batch = Array.from({ length: 900 }, (_, index) => `line ${index}`);
  const count = 2 * batch.length;
  expect(count).toBeGreaterThan(maxLogsPerRead);
  for (const outputs of [batch, batch]) await write(outputs);
  const { lines } = await follow(id);
  await expect.poll(() => lines().length).toBe(count);
  expect(lines().map(({ id: line }) => line)).toEqual(
    Array.from({ length: count }, (_, index) => 1 + index),
  );
});

it("get what was written before the end of the agent, also when that comes while they read", async () => {
  const { id, write } = await makeAgent("ending");
  await write(["first"]);
  const { outputs } = await follow(id);
  await expect.poll(outputs).toEqual(["first"]);
  await using end = await holdOpen(server.db, async (trx) => {
    const lines = packLines([{ createdNs: 1n, level: "info", output: "last" }]);
    await appendLogs(trx, { agentId: id, sourceId: randomUUID(), lines });
    await trx.updateTable("workspace_agents").set({ deleted: true }).where("id", "=", id).execute();
    await sql`lock table workspace_agents in access exclusive mode`.execute(trx);
  });
  await sql`select pg_notify('slipway', ${`\nagent-logs:${id}`})`.execute(server.db);
  await waitForBlocked(server.db);
  await end.commit();
  await expect.poll(outputs).toEqual(["first", "last"]);
});

it("see the log of their own agent, however many begin at once", async () => {
  const [quiet, loud] = [await makeAgent("quiet"), await makeAgent("loud")];
  await loud.write(["secret"]);
  await using reads = await holdOpen(server.db, (trx) =>
    sql`lock table workspace_agent_logs in access exclusive mode`.execute(trx),
  );
  const first = await follow(loud.id);
  await waitForBlocked(server.db);
  const others = [
    await follow(quiet.id),
    await follow(loud.id),
    await follow(quiet.id),
    await follow(loud.id),
  ];
  await reads.commit();
  const all = [first, ...others];
  for (const { messages } of all) await expect.poll(() => messages.length).toBeGreaterThan(0);
  expect(all.map(({ outputs }) => outputs())).toEqual([["secret"], [], ["secret"], [], ["secret"]]);
});
