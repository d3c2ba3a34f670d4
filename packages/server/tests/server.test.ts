import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getAgent } from "@slipway/api/agents/routes";
import { getBuildLogs } from "@slipway/api/builds/routes";
import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { listTemplateVersionParameters } from "@slipway/api/templates/parameter-routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
} from "@slipway/api/templates/version-routes";
import { getUser, logout } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { silentLogger } from "@slipway/runtime";
import {
  buildAgent,
  agentProgram,
  firstAgent,
  logInAsAdmin,
  openTestDatabase,
  packTemplate,
  pushTemplate,
  testAdmin,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { createServer, type Server } from "../src/main/server.ts";
import { readSettings } from "../src/platform/config/settings.ts";
import { openTextSocket, type TextSocket } from "./support/text-socket.ts";

type Client = Awaited<ReturnType<typeof logInAsAdmin>>;

const organization = { organization: "default" };

const template = `
driver: process
parameters:
  greeting: { type: string, default: hello, mutable: true }
agents:
  main:
    os: linux
    arch: amd64
    directory: ~/project
    env: { GREETING: "\${{ parameters.greeting }}" }
    scripts:
      prepare:
        display_name: Prepare
        run_on: [start]
        blocks_login: true
        run: |
          mkdir -p ~/project
          echo "$GREETING from \${{ workspace.name }}"
      tidy:
        display_name: Tidy
        run_on: [stop]
        run: echo "tidying up"
    metadata:
      answer: { display_name: Answer, interval: 10s, timeout: 5s, run: echo 42 }
`;

const opened = new AsyncDisposableStack();
let server: Server;
let client: Client;

beforeAll(async () => {
  await buildAgent();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const settings = {
    ...readSettings(
      {
        SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0",
        SLIPWAY_DATA_DIR: dataDir,
        SLIPWAY_PROCESS_DRIVER: "true",
        SLIPWAY_DOCKER_HOST: "off",
      },
      false,
    ),
    postgresUrl: database.url,
  };
  server = await createServer({
    settings,
    agentCommand: [process.execPath, agentProgram],
    logger: silentLogger,
    signal: new AbortController().signal,
  });
  opened.defer(() => server.close({ stopAgents: true }));
  const body = { ...testAdmin, username: "admin", trial: false };
  const first = await request("POST", "/users/first", { body });
  if (first.status !== 201) throw new Error(`no first user: ${JSON.stringify(first)}`);
  client = await logInAsAdmin(server.accessUrl);
});

afterAll(() => opened.disposeAsync());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Sends a request exactly as given, without a client's normalization. */
async function request(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
  const body = parts.body === undefined ? null : JSON.stringify(parts.body);
  const response = await fetch(`${server.accessUrl}/api/v2${path}`, {
    method,
    headers: parts.headers ?? {},
    body,
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  const parsed: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, body: parsed };
}

function asAdmin(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
  return request(method, path, { ...parts, headers: { ...client.headers, ...parts.headers } });
}

function openSocket(path: string): TextSocket {
  return openTextSocket(`${server.accessUrl.replace("http", "ws")}/api/v2${path}`, client.headers);
}

async function waitForImport(version: string): Promise<TemplateVersion> {
  // Follows the log to its end: by then the job is done.
  const socket = openSocket(`/templateversions/${version}/logs?follow`);
  expect(await socket.ended).toEqual({ code: 1000, reason: "done" });
  return client.call(getTemplateVersion, { params: { version } });
}

async function importTemplate(yaml: string): Promise<TemplateVersion> {
  const input = { bytes: await packTemplate(yaml), contentType: tarMimeType };
  const { hash } = await client.upload(uploadFile, input);
  const body = { file_id: hash };
  const { id } = await client.call(createTemplateVersion, { params: organization, body });
  return waitForImport(id);
}

describe("users", () => {
  it("are made first once, and log in with their password", async () => {
    const body = { ...testAdmin, username: "other", trial: false };
    expect(await request("POST", "/users/first", { body })).toMatchObject({ status: 409 });
    expect(await request("GET", "/users/first")).toMatchObject({ status: 200 });
    const wrong = { email: testAdmin.email, password: "wrong" };
    expect(await request("POST", "/users/login", { body: wrong })).toMatchObject({
      status: 401,
      body: { message: "Incorrect email or password." },
    });
    const login = await request("POST", "/users/login", { body: { ...testAdmin } });
    expect(login.headers.get("set-cookie")).toMatch(
      /^coder_session_token=\w{10}-\w{22}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(await request("GET", "/users/me", { headers: { cookie } })).toMatchObject({
      status: 200,
      body: { username: "admin", email: testAdmin.email, roles: [{ name: "owner" }] },
    });
  });

  it("are signed out by a log-out, in this session only", async () => {
    const other = await logInAsAdmin(server.accessUrl);
    await other.call(logout);
    const call = other.call(getUser, { params: { user: "me" } });
    await expect(call).rejects.toMatchObject({ status: 401 });
    expect(await client.call(getUser, { params: { user: "me" } })).toMatchObject({
      username: "admin",
    });
  });
});

describe("a template", () => {
  it("fails to be imported with the line and the column of what is wrong", async () => {
    const version = await importTemplate("driver: process\nagents:\n  main:\n    oss: linux\n");
    expect(version.job).toMatchObject({
      status: "failed",
      error: expect.stringContaining("line 4, column 5"),
    });
    const params = { version: version.id };
    const logs = await client.call(getTemplateVersionLogs, { params });
    const errors = logs.filter((log) => log.log_level === "error").map((log) => log.output);
    expect(errors[0]).toMatch(/^slipway\.yaml:4:5: agents\.main/);
  });

  it("is imported with its parameters", async () => {
    const version = await importTemplate(template);
    expect(version.job).toMatchObject({ status: "succeeded", type: "template_version_import" });
    const params = { version: version.id };
    expect(await client.call(listTemplateVersionParameters, { params })).toMatchObject([
      { name: "greeting", default_value: "hello", mutable: true },
    ]);
  });

  it("is the same file when the same bytes come again", async () => {
    const raw = Buffer.from(await packTemplate(template));
    const upload = async (): Promise<Answer> => {
      const response = await fetch(`${server.accessUrl}/api/v2/files`, {
        method: "POST",
        headers: { ...client.headers, "Content-Type": tarMimeType },
        body: raw,
      });
      const body: unknown = await response.json();
      return { status: response.status, headers: response.headers, text: "", body };
    };
    const [first, second] = [await upload(), await upload()];
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
  });
});

describe("a workspace", () => {
  let workspace: Workspace;
  let agent: WorkspaceAgent;
  let following: TextSocket;

  async function read(): Promise<Workspace> {
    return client.call(getWorkspace, { params: { workspace: workspace.id } });
  }

  it("starts, and its agent becomes ready", async () => {
    const templateId = await pushTemplate(client, "small", template);
    const created = await client.call(createWorkspace, {
      params: { user: "me" },
      body: {
        name: "dev",
        template_id: templateId,
        rich_parameter_values: [{ name: "greeting", value: "welcome" }],
      },
    });
    workspace = await waitForWorkspace(
      client,
      created.id,
      (one) => firstAgent(one)?.lifecycle_state === "ready",
    );
    expect(workspace).toMatchObject({
      name: "dev",
      owner_name: "admin",
      latest_build: { build_number: 1, transition: "start", status: "running" },
    });
    const found = firstAgent(workspace);
    if (found === undefined) throw new Error("the workspace has no agent");
    agent = await client.call(getAgent, { params: { agent: found.id } });
    expect(agent).toMatchObject({
      name: "main",
      status: "connected",
      health: { healthy: true },
      api_version: "2.10",
      startup_script_behavior: "blocking",
      scripts: [{ display_name: "Prepare", exit_code: 0, status: "ok" }, { display_name: "Tidy" }],
    });
    expect(agent.expanded_directory).toMatch(/\/project$/);
    expect(agent.logs_length).toBeGreaterThan(0);
  });

  it("is told of by its name and in the list", async () => {
    const byName = await asAdmin("GET", "/users/me/workspace/DEV");
    expect(byName).toMatchObject({ status: 200, body: { id: workspace.id } });
    const list = await client.call(listWorkspaces, { query: { q: "owner:me name:dev" } });
    expect(list).toMatchObject({ count: 1, workspaces: [{ id: workspace.id }] });
    const none = await client.call(listWorkspaces, { query: { q: "name:other" } });
    expect(none).toEqual({ count: 0, workspaces: [] });
  });

  it("keeps the log of its build, to be read and to be followed", async () => {
    const { id } = workspace.latest_build;
    const logs = await client.call(getBuildLogs, { params: { build: id } });
    const stages = logs.filter((log) => log.output === "").map((log) => log.stage);
    expect(stages).toEqual(["Setting up", "Starting workspace", "Cleaning up"]);
    const socket = openSocket(`/workspacebuilds/${id}/logs?follow&after=${logs[0]?.id ?? 0}`);
    expect(await socket.ended).toEqual({ code: 1000, reason: "done" });
    expect(socket.messages.map((message): unknown => JSON.parse(message))).toEqual(logs.slice(1));
  });

  it("shows its agent's log as JSON and as text", async () => {
    const params = { agent: agent.id };
    const logs = await client.call(getAgentLogs, { params });
    expect(logs.map((log) => log.output)).toContain("welcome from dev");
    expect(logs.map((log) => log.id)).toEqual(logs.map((_, index) => index + 1));
    const last = logs.length;
    expect(await client.call(getAgentLogs, { params, query: { after: String(last) } })).toEqual([]);
    const text = await asAdmin("GET", `/workspaceagents/${agent.id}/logs?format=text`);
    expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(text.text).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \[info\] \[agent\.main\|Prepare\] welcome from dev$/m,
    );
    const old = await asAdmin("GET", `/workspaceagents/${agent.id}/startup-logs`);
    expect(old.body).toEqual(logs);
  });

  it("sends its agent's log at once to who follows", async () => {
    following = openSocket(`/workspaceagents/${agent.id}/logs?follow`);
    await following.firstMessage;
    expect(following.messages[0]).toMatch(/^\[.*welcome from dev.*\]\n$/);
  });

  it("cuts off who speaks on a log", async () => {
    const socket = openSocket(`/workspaceagents/${agent.id}/logs?follow`);
    await socket.firstMessage;
    socket.raw.send("hello");
    expect(await socket.ended).toEqual({ code: 1008, reason: "unexpected data message" });
  });

  it("shows its metadata as events", async () => {
    const end = new AbortController();
    const response = await fetch(
      `${server.accessUrl}/api/v2/workspaceagents/${agent.id}/watch-metadata`,
      { headers: client.headers, signal: end.signal },
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const chunks = response.body?.pipeThrough(new TextDecoderStream()) ?? [];
    let text = "";
    for await (const chunk of chunks) {
      text += chunk;
      // The value arrives with one of the first events; a report may take 5 seconds.
      if (text.includes('"value":"42')) break;
    }
    end.abort();
    const [event, data = ""] = text.split("\n");
    expect(event).toBe("event: data");
    expect(JSON.parse(data.replace("data: ", ""))).toMatchObject([
      { description: { key: "answer", display_name: "Answer", interval: 10, timeout: 5 } },
    ]);
    expect(text.endsWith("\n\n")).toBe(true);
  });

  it("wants an upgrade where only a WebSocket makes sense", async () => {
    const answer = await asAdmin("GET", `/workspaceagents/${agent.id}/watch-metadata-ws`);
    expect(answer.status).toBe(426);
    const socket = openSocket(`/workspaceagents/${agent.id}/watch-metadata-ws`);
    await socket.firstMessage;
    expect(JSON.parse(socket.messages[0] ?? "")).toMatchObject({ type: "data", data: [{}] });
    socket.raw.send("hello");
    expect(await socket.ended).toMatchObject({ code: 1002 });
  });

  it("keeps its name for itself, whatever the case", async () => {
    const body = { name: "Dev", template_id: workspace.template_id };
    const taken = await asAdmin("POST", "/users/me/workspaces", { body });
    expect(taken.status).toBe(409);
  });

  it("stops once when it is told to twice, having run the stop script", async () => {
    const stop = (): Promise<Answer> =>
      asAdmin("POST", `/workspaces/${workspace.id}/builds`, { body: { transition: "stop" } });
    const [first, second] = await Promise.all([stop(), stop()]);
    const [good, refused] = first.status === 201 ? [first, second] : [second, first];
    expect(good).toMatchObject({ status: 201, body: { build_number: 2, transition: "stop" } });
    expect(refused).toMatchObject({
      status: 409,
      body: { message: "A workspace build is already active." },
    });
    await waitForWorkspace(client, workspace.id, (one) => one.latest_build.status === "stopped");
    const logs = await client.call(getAgentLogs, { params: { agent: agent.id } });
    expect(logs.map((log) => log.output)).toContain("tidying up");
  });

  it("has sent the follower of the log the last line before the end", async () => {
    expect(await following.ended).toEqual({ code: 1000, reason: "" });
    const lines = following.messages.flatMap((message): unknown[] => JSON.parse(message));
    const logs = await client.call(getAgentLogs, { params: { agent: agent.id } });
    expect(lines).toEqual(logs);
  });

  it("is gone once it is deleted, but for who asks for the deleted", async () => {
    const params = { workspace: workspace.id };
    const build = await client.call(createBuild, { params, body: { transition: "delete" } });
    const socket = openSocket(`/workspacebuilds/${build.id}/logs?follow`);
    expect(await socket.ended).toEqual({ code: 1000, reason: "done" });
    await expect(read()).rejects.toMatchObject({ status: 404 });
    const path = `/workspaces/${workspace.id}?include_deleted=true`;
    expect(await asAdmin("GET", path)).toMatchObject({
      status: 200,
      body: { latest_build: { status: "deleted", transition: "delete" } },
    });
    expect(await asAdmin("GET", `/workspaceagents/${agent.id}`)).toMatchObject({ status: 404 });
  });
});
