import { randomUUID } from "node:crypto";

import type { Run } from "@slipway/api/agents/run-routes";
import { getKeptRunOutput, listKeptRuns } from "@slipway/api/workspaces/run-routes";
import { makeWorkspace, pushTemplate, readAgentToken } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { deleteSurplusRuns, upsertKeptRun } from "../src/features/agents/kept-runs/queries.ts";
import { cleanUp } from "../src/features/cleanup/service.ts";
import { defaultLimits } from "../src/platform/config/limits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/* Runs that an agent leaves with the server, as a hostile one may. */

const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
const day = 24 * 3600 * 1000;
const opened = new AsyncDisposableStack();
let server: OpenServer;
let workspaceId = "";
let token = "";

beforeAll(async () => {
  server = opened.use(
    await openServer(inject("postgresUrl"), { SLIPWAY_SECRET_KEY: "k".repeat(64) }),
  );
  const templateId = await pushTemplate(server.admin, "kept", template);
  workspaceId = (await makeWorkspace(server.admin, "kept", templateId, () => true)).id;
  token = await readAgentToken(server.admin, workspaceId);
});

afterAll(() => opened.disposeAsync());

interface KeptRequest {
  readonly id?: string;
  readonly pathId?: string;
  readonly bytes?: number;
}

function runOf(id: string, bytes: number): Run {
  return {
    id,
    instance_id: randomUUID(),
    command: "make",
    workdir: "/",
    user: "me",
    tty: false,
    status: "exited",
    started_at: "2026-01-31T09:00:00Z",
    exited_at: "2026-01-31T09:00:01Z",
    exit_code: 0,
    signal: null,
    timed_out: false,
    last_seq: bytes,
    first_seq: 0,
    truncated_bytes: 0,
    stdin: "none",
    stdin_seq: 0,
  };
}

/** Leaves a run as the agent; resolves to the status. */
async function keep({ id = randomUUID(), pathId = id, bytes = 3 }: KeptRequest): Promise<number> {
  const run = runOf(id, bytes);
  const data = Buffer.alloc(bytes, "x").toString("base64");
  const response = await fetch(`${server.url}/api/v2/workspaceagents/me/runs/${pathId}`, {
    method: "PUT",
    headers: { "Coder-Session-Token": token, "Content-Type": "application/json" },
    body: JSON.stringify({ run, chunks: [{ seq: bytes, stream: "stdout", data }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function keptIds(): Promise<readonly string[]> {
  const params = { workspace: workspaceId };
  return (await server.admin.call(listKeptRuns, { params })).runs.map(({ id }) => id);
}

it("are stored once, under the id of the run", async () => {
  const id = randomUUID();
  expect([await keep({ id }), await keep({ id, bytes: 5 })]).toEqual([204, 204]);
  expect((await keptIds()).filter((one) => one === id)).toHaveLength(1);
  const params = { workspace: workspaceId, run: id };
  const page = await server.admin.call(getKeptRunOutput, { params, query: { after: "2" } });
  expect(page).toMatchObject({ chunks: [{ seq: 5, data: "xxx" }], next_seq: 5, missed_bytes: 0 });
  expect(await keep({ pathId: randomUUID() })).toBe(400);
  expect(await keep({ bytes: 2 * 1024 * 1024 })).toBe(413);
});

it("push out the oldest beyond the limits of a workspace, and are removed after a week", async () => {
  const { db } = server;
  const limits = { maxBytes: 100, maxRuns: 4 };
  const store = async (bytes: number): Promise<string> => {
    const id = randomUUID();
    const kept = { workspaceId, agentId: randomUUID(), run: runOf(id, bytes), chunks: [], bytes };
    await upsertKeptRun(db, kept);
    await deleteSurplusRuns(db, workspaceId, limits);
    return id;
  };
  await deleteSurplusRuns(db, workspaceId, { maxBytes: 0, maxRuns: 0 });
  const [, , second, third] = [await store(30), await store(30), await store(30), await store(30)];
  // The newest three have 90 bytes.
  expect(await keptIds()).toHaveLength(3);
  const small = [await store(1), await store(1)];
  expect(await keptIds()).toEqual([...small.toReversed(), third, second]);
  expect(await cleanUp(db, Date.now() + 6 * day, defaultLimits)).toMatchObject({ runs: 0 });
  expect(await cleanUp(db, Date.now() + 8 * day, defaultLimits)).toMatchObject({ runs: 4 });
  expect(await keptIds()).toEqual([]);
});
