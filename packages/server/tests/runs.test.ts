import { randomUUID } from "node:crypto";
import { once } from "node:events";

import {
  getRun,
  getRunOutput,
  listRuns,
  signalRun,
  startRun,
  writeRunInput,
} from "@slipway/api/agents/run-routes";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { getKeptRunOutput, listKeptRuns } from "@slipway/api/workspaces/run-routes";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { encodeRunCommand, parseRunEvent } from "@slipway/wire/services/run-frames";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

const environment = { SLIPWAY_SECRET_KEY: "k".repeat(64) };
const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId = "";
let workspaceId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  const templateId = await pushTemplate(server.admin, "runs", template);
  const isReady = ({ status }: { readonly status: string }): boolean => status === "connected";
  const workspace = await makeWorkspace(server.admin, "runs", templateId, isReady);
  agentId = requireAgent(workspace).id;
  workspaceId = workspace.id;
});

afterAll(() => opened.disposeAsync());

const ofAgent = (): { agent: string } => ({ agent: agentId });

function attach(run: string, query = "", url = server.url): WebSocket {
  const path = `/api/v2/workspaceagents/${agentId}/runs/${run}/attach${query}`;
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, {
    headers: { ...server.admin.headers },
  });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  return socket;
}

/** Collects the output that a socket brings until it closes. */
async function outputOf(socket: WebSocket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("message", (data: Buffer) => {
    const event = parseRunEvent(data);
    if (event.type === "output") parts.push(Buffer.from(event.bytes));
  });
  await once(socket, "close");
  return Buffer.concat(parts).toString();
}

it("runs a command, and returns its output with its exit code", async () => {
  const page = await server.admin.call(startRun, {
    params: ofAgent(),
    query: { wait_ms: "10000" },
    body: { command: "echo $CODER_WORKSPACE_NAME; echo err >&2; exit 3", env: { A: "b" } },
  });
  expect(page.run).toMatchObject({ status: "exited", exit_code: 3 });
  expect(page.chunks.map(({ data }) => data).toSorted()).toEqual(["err\n", "runs\n"]);
  const { runs, instance_id: instance } = await server.admin.call(listRuns, { params: ofAgent() });
  expect(runs[0]).toMatchObject({ id: page.run.id, instance_id: instance });
});

it("lets the user go on while many requests wait for output", async () => {
  const gone = new AbortController();
  const { run } = await server.admin.call(startRun, {
    params: ofAgent(),
    body: { command: "sleep 60" },
  });
  const waits = Array.from({ length: 20 }, () =>
    server.admin
      .call(getRunOutput, {
        params: { ...ofAgent(), run: run.id },
        query: { wait_ms: "30000" },
        signal: gone.signal,
      })
      .then(() => "answered"),
  );
  const other = server.admin.call(listRuns, { params: ofAgent() }).then(() => "listed");
  // The list comes although twenty requests were there before it.
  expect(await Promise.race([other, ...waits])).toBe("listed");
  gone.abort();
  await Promise.allSettled(waits);
  await server.admin.call(signalRun, {
    params: { ...ofAgent(), run: run.id },
    body: { signal: "SIGKILL" },
  });
});

it("starts a run once however often it is requested, through any replica", async () => {
  await using replica = await openReplica(server, environment);
  const body = { id: randomUUID(), command: "echo $$; cat", stdin: true };
  const request = { params: ofAgent(), body, query: { wait_ms: "0" } };
  await server.admin.call(startRun, request);
  const other = await fetch(`${replica.url}/api/v2/workspaceagents/${agentId}/runs`, {
    method: "POST",
    headers: { ...server.admin.headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(other.status).toBe(201);
  const params = { ...ofAgent(), run: body.id };
  const socket = attach(body.id, "", replica.url);
  const output = outputOf(socket);
  await once(socket, "open");
  const bytes = Buffer.from("hello\n");
  socket.send(encodeRunCommand({ type: "input", position: 0, bytes }));
  // The socket's input arrives by another way.
  await expect.poll(async () => (await server.admin.call(getRun, { params })).stdin_seq).toBe(6);
  const rest = { seq: 4, data: "o\nyou\n", close: true };
  await server.admin.call(writeRunInput, { params, body: rest });
  expect(await output).toMatch(/^\d+\nhello\nyou\n$/);
  const { runs } = await server.admin.call(listRuns, { params: ofAgent() });
  expect(runs.filter(({ id }) => id === body.id)).toHaveLength(1);
});

it("goes on with the output after a position", async () => {
  const { run } = await server.admin.call(startRun, {
    params: ofAgent(),
    query: { wait_ms: "10000", limit: "0" },
    body: { command: "seq 1 20000" },
  });
  const output = await outputOf(attach(run.id, `?after=${run.last_seq - 6}`));
  expect(output).toBe("20000\n");
  const params = { ...ofAgent(), run: run.id };
  const page = await server.admin.call(getRunOutput, { params, query: { after: "4", limit: "4" } });
  expect(page).toMatchObject({ chunks: [{ data: "3\n4\n" }], next_seq: 8, is_complete: false });
});

it("passes signals on, and refuses what is wrong with facts for programs", async () => {
  const { run } = await server.admin.call(startRun, {
    params: ofAgent(),
    body: { command: "sleep 1000" },
  });
  const params = { ...ofAgent(), run: run.id };
  await server.admin.call(signalRun, { params, body: { signal: "KILL" } });
  const ended = await server.admin.call(getRunOutput, { params, query: { wait_ms: "10000" } });
  expect(ended).toMatchObject({ run: { signal: "SIGKILL", exit_code: null }, is_complete: true });
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${server.url}/api/v2/workspaceagents/${agentId}/runs${path}`, {
      headers: { ...server.admin.headers, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    return Object.assign({ status: response.status }, answer);
  };
  const facts = { retryable: false, admitted: "no" };
  const otherInstance = `?instance_id=${randomUUID()}`;
  expect(await ask(`/${run.id}${otherInstance}`)).toMatchObject({
    status: 410,
    code: "gone",
    ...facts,
  });
  expect(await ask(`/${randomUUID()}`)).toMatchObject({ status: 404, code: "not-found", ...facts });
  expect(await ask("", { argv: ["/no/such"] })).toMatchObject({
    status: 422,
    code: "spawn-failed",
    ...facts,
  });
  expect(await ask(`/${run.id}/attach?after=9`)).toMatchObject({ code: "seq-in-future", ...facts });
  expect(await ask("", {})).toMatchObject({ status: 400, code: "invalid-request", ...facts });
});

it("is for those who may act for the owner, and recorded", async () => {
  const { client } = await addPerson(server, "bob", []);
  const request = { params: ofAgent(), body: { command: "echo secret\u001b[2J" } };
  await expect(client.call(startRun, request)).rejects.toMatchObject({ status: 404 });
  const { run } = await server.admin.call(startRun, request);
  const started = async (): Promise<unknown> => {
    const { audit_logs: entries } = await server.admin.call(listAuditLogs, {
      query: { q: "resource_type:workspace_agent action:start", limit: "1" },
    });
    return entries[0];
  };
  await expect.poll(started).toMatchObject({
    resource_id: agentId,
    additional_fields: { run_id: run.id, command: "echo secret", workspace_name: "runs" },
  });
});

it("is recorded once where the caller chose its id, and always where the agent did", async () => {
  const chosen = randomUUID();
  const start = (body: { readonly id?: string; readonly command: string }) =>
    server.admin.call(startRun, { params: ofAgent(), query: { wait_ms: "1000" }, body });
  const { run } = await start({ command: "true once" });
  for (const id of [chosen, chosen.toUpperCase()]) await start({ id, command: "true twice" });
  await start({ command: "true at last" });
  const started = async (): Promise<unknown> => {
    const { audit_logs: entries } = await server.admin.call(listAuditLogs, {
      query: { q: "resource_type:workspace_agent action:start", limit: "3" },
    });
    return entries.map(({ additional_fields: fields }) => fields).toReversed();
  };
  const ofAgentAlone = expect.not.objectContaining({ instance_id: expect.anything() });
  await expect
    .poll(started)
    .toEqual([
      ofAgentAlone,
      expect.objectContaining({ run_id: chosen, instance_id: run.instance_id }),
      ofAgentAlone,
    ]);
});

it("leaves the end of its runs with the server when the workspace stops", async () => {
  const { run: ended } = await server.admin.call(startRun, {
    params: ofAgent(),
    query: { wait_ms: "10000", limit: "0" },
    body: { command: "seq 1 400000; echo e >&2; exit 5" },
  });
  const { run: running } = await server.admin.call(startRun, {
    params: ofAgent(),
    body: { command: "echo begun; sleep 1000" },
  });
  await expect
    .poll(async () => {
      const params = { ...ofAgent(), run: running.id };
      return (await server.admin.call(getRun, { params })).last_seq;
    })
    .toBe(6);
  const params = { workspace: workspaceId };
  await server.admin.call(createBuild, { params, body: { transition: "stop" } });
  const status = async (): Promise<string> =>
    (await server.admin.call(getWorkspace, { params })).latest_build.status;
  await expect.poll(status, { timeout: 30_000 }).toBe("stopped");
  const { runs } = await server.admin.call(listKeptRuns, { params });
  expect(runs.find(({ id }) => id === ended.id)).toMatchObject({ exit_code: 5, status: "exited" });
  expect(runs.find(({ id }) => id === running.id)).toMatchObject({ signal: "SIGHUP" });
  const read = (run: string, after: number) =>
    server.admin.call(getKeptRunOutput, {
      params: { ...params, run },
      query: { after: String(after) },
    });
  expect(await read(running.id, 2)).toMatchObject({ chunks: [{ data: "gun\n" }], missed_bytes: 0 });
  const page = await read(ended.id, 0);
  const text = page.chunks.map(({ data }) => data).join("");
  expect(page.missed_bytes).toBe(ended.last_seq - 1024 * 1024);
  expect(text).toHaveLength(1024 * 1024);
  // Two pipes have no order between them.
  const ofStream = (name: string): string =>
    page.chunks.flatMap(({ stream, data }) => (stream === name ? [data] : [])).join("");
  expect(ofStream("stdout").endsWith("\n400000\n")).toBe(true);
  expect(ofStream("stderr")).toBe("e\n");
});
