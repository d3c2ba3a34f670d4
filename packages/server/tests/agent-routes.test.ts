import { randomUUID } from "node:crypto";
import { on, once } from "node:events";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getAgent } from "@slipway/api/agents/routes";
import { getGitKey, regenerateGitKey } from "@slipway/api/users/git-key-routes";
import { connectExternalAgent, firstAgent, makeWorkspace, pushTemplate } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { openTextSocket } from "./support/text-socket.ts";
import { type WireAnswer, wireRequest } from "./support/wire-request.ts";

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { display_name: Web, url: "http://localhost:8088" }
`;

const measured = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    metadata: { load: { display_name: Load, interval: 1m, timeout: 1s, run: uptime } }
`;
const uuid = "5888ab3f-f15a-4d9f-b1c9-fbeaab24312c";
const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId: string;
let agentToken: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const client = server.admin;
  const templateId = await pushTemplate(client, "external", template);
  const workspace = await makeWorkspace(client, "dev", templateId, () => true);
  agentId = firstAgent(workspace)?.id ?? "";
  const agent = opened.adopt(
    await connectExternalAgent(client, workspace.id, "main"),
    ({ connection }) => connection.close(),
  );
  agentToken = agent.token;
});

afterAll(() => opened.disposeAsync());

function asAgent(method: string, path: string, body?: unknown): Promise<WireAnswer> {
  const token = agentToken;
  return wireRequest(method, `${server.url}/api/v2/workspaceagents/me${path}`, { token, body });
}

function asAdmin(method: string, path: string): Promise<WireAnswer> {
  const token = server.admin.headers["Coder-Session-Token"];
  return wireRequest(method, `${server.url}/api/v2${path}`, { token });
}

function sendLogs(body: unknown): Promise<WireAnswer> {
  return asAgent("PATCH", "/logs", body);
}

function readLog(after = 0) {
  const query = { after: String(after) };
  return server.admin.call(getAgentLogs, { params: { agent: agentId }, query });
}

it("has its own metadata, also when those of others are watched", async () => {
  const templateId = await pushTemplate(server.admin, "measured", measured);
  const watched: { readonly name: string; readonly messages: readonly string[] }[] = [];
  for (const name of ["one", "two"]) {
    const workspace = await makeWorkspace(server.admin, name, templateId, () => true);
    const id = firstAgent(workspace)?.id ?? "";
    await sql`update workspace_agent_metadata set value = ${name}
      where workspace_agent_id = ${id}`.execute(server.db);
    const url = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${id}/watch-metadata-ws`;
    const { raw, messages, firstMessage } = openTextSocket(url, server.admin.headers);
    opened.defer(() => raw.terminate());
    await firstMessage;
    await sql`select pg_notify('slipway', ${`\nagent-metadata:${id}`})`.execute(server.db);
    watched.push({ name, messages });
  }
  for (const { name, messages } of watched) {
    await expect.poll(() => messages.length, { timeout: 10_000 }).toBeGreaterThan(1);
    for (const text of messages) expect(text).toContain(`"value":"${name}"`);
  }
});

describe("the log of an agent", () => {
  it("takes lines over HTTP, with the server's time and as often as they come", async () => {
    const line = { created_at: "2020-01-01T00:00:00Z", output: "a\0b", level: "error" };
    for (const logs of [[line], [line], [{ output: "plain" }]]) {
      expect(await sendLogs({ log_source_id: uuid, logs })).toMatchObject({
        status: 200,
        text: "null\n",
      });
    }
    const stored = { output: "a❌b", level: "error", source_id: uuid };
    const logs = await readLog();
    expect(logs).toMatchObject([stored, stored, { output: "plain", level: "info" }]);
    expect(logs[0]?.created_at.startsWith("2020")).toBe(false);
  });

  it("puts lines without a source into one named External", async () => {
    expect(await sendLogs({ logs: [{ output: "x" }] })).toMatchObject({ status: 200 });
    const { log_sources: sources } = await server.admin.call(getAgent, {
      params: { agent: agentId },
    });
    expect(sources).toContainEqual(expect.objectContaining({ display_name: "External" }));
  });

  it.each([
    [{}, 400, { message: "No logs provided." }],
    [{ logs: [] }, 400, { message: "No logs provided." }],
    [
      { logs: [{ output: "x", level: "bogus" }] },
      400,
      { message: "Invalid log level provided.", detail: 'invalid log level: "bogus"' },
    ],
    [{ log_source_id: "x", logs: [] }, 400, { validations: [{ field: "log_source_id" }] }],
    [{ logs: [{ created_at: "soon" }] }, 400, { validations: [{ field: "logs.0.created_at" }] }],
    [{ logs: [{ output: "x".repeat(1_048_577) }] }, 413, { message: "Logs limit exceeded" }],
    [{ logs: "x".repeat(4 * 1024 * 1024) }, 413, { message: "Request body is too large." }],
  ])("refuses bad batch %#", async (body, status, answer) => {
    const before = (await readLog()).length;
    expect(await sendLogs(body)).toMatchObject({ status, body: answer });
    expect(await readLog()).toHaveLength(before);
  });

  it("goes on past its limit, tells that lines are missing, and lets a follower see the gap", async () => {
    const before = (await readLog()).at(-1)?.id ?? 0;
    const logs = Array.from({ length: 900 }, () => ({ output: "y".repeat(1024) }));
    for (let batch = 0; batch < 3; batch += 1) {
      expect(await sendLogs({ log_source_id: uuid, logs })).toMatchObject({ status: 200 });
    }
    const agent = await server.admin.call(getAgent, { params: { agent: agentId } });
    expect(agent.logs_overflowed).toBe(true);
    expect(agent.logs_length).toBeLessThanOrEqual(1_048_576);
    const url = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${agentId}/logs?follow&after=${before}`;
    const socket = new WebSocket(url, { headers: server.admin.headers });
    const followed: { id: number; output: string }[] = [];
    for await (const [message] of on(socket, "message")) {
      followed.push(...JSON.parse(String(message)));
      if (followed.at(-1)?.id === before + 2700) break;
    }
    socket.terminate();
    const gaps = followed.filter(({ output }) => output.includes("not kept"));
    expect(gaps).toHaveLength(1);
    expect(followed).toMatchObject(await readLog(before));
  });
});

describe("the log sources of an agent", () => {
  it("are made once and answered as asked for", async () => {
    const id = randomUUID();
    const first = { id, display_name: "x", icon: "/i.svg" };
    expect(await asAgent("POST", "/log-source", first)).toMatchObject({
      status: 201,
      body: { ...first, workspace_agent_id: agentId },
    });
    const again = { ...first, display_name: "other" };
    expect(await asAgent("POST", "/log-source", again)).toMatchObject({ status: 201, body: again });
    const agent = await server.admin.call(getAgent, { params: { agent: agentId } });
    expect(agent.log_sources.filter((source) => source.id === id)).toMatchObject([first]);
  });

  it("may say nothing of themselves", async () => {
    expect(await asAgent("POST", "/log-source", {})).toMatchObject({
      status: 201,
      body: { id: "00000000-0000-0000-0000-000000000000", display_name: "", icon: "" },
    });
  });
});

describe("what an app says of itself", () => {
  const tooLong = "Message must be less than 160 characters.";

  it("is kept, plain and in order", async () => {
    for (const state of ["working", "IDLE"]) {
      const status = { app_slug: "web", state, message: "<b>hi</b>", uri: "https://x", icon: "" };
      expect(await asAgent("PATCH", "/app-status", status)).toMatchObject({
        status: 200,
        text: "null\n",
      });
    }
    const { apps } = await server.admin.call(getAgent, { params: { agent: agentId } });
    const kept = { agent_id: agentId, app_id: apps[0]?.id, message: "hi", uri: "https://x" };
    expect(apps[0]?.statuses).toMatchObject([
      { state: "idle", ...kept },
      { state: "working", ...kept },
    ]);
  });

  it.each([
    [{ app_slug: "web", state: "bogus" }, "Failed to parse request.", "Invalid state: bogus"],
    [{}, "Failed to parse request.", "Invalid state: "],
    [
      { app_slug: "none", state: "idle" },
      "Failed to get workspace app.",
      'No app found with slug "none"',
    ],
    [{ app_slug: "web", state: "idle", message: "m".repeat(161) }, "Message is too long.", tooLong],
  ])("is refused when wrong in way %#", async (body, message, detail) => {
    expect(await asAgent("PATCH", "/app-status", body)).toMatchObject({
      status: 400,
      body: { message, detail },
    });
  });
});

describe("the key for git", () => {
  const mine = { params: { user: "me" } };

  it("is the owner's, the same for people and agents, until it is replaced", async () => {
    const first = await asAgent("GET", "/gitsshkey");
    expect(first.body).toEqual({
      public_key: expect.stringMatching(/^ssh-ed25519 AAAA[\w+/]+\n$/),
      private_key: expect.stringMatching(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/),
    });
    expect((await asAgent("GET", "/gitsshkey")).body).toEqual(first.body);
    const { public_key: publicKey } = await server.admin.call(getGitKey, mine);
    expect(first.body).toMatchObject({ public_key: publicKey });
    const replaced = await server.admin.call(regenerateGitKey, mine);
    expect(replaced.public_key).not.toBe(publicKey);
    expect((await asAgent("GET", "/gitsshkey")).body).toMatchObject({
      public_key: replaced.public_key,
    });
  });

  it("is stored without its private half in clear", async () => {
    const { text } = await asAgent("GET", "/gitsshkey");
    const secret = text.split(String.raw`\n`)[4] ?? "";
    expect(secret).toHaveLength(64);
    const row = await server.db.selectFrom("git_ssh_keys").selectAll().executeTakeFirstOrThrow();
    expect(row.private_key_encrypted.includes(secret)).toBe(false);
  });
});

describe("tokens for git hosts", () => {
  it.each([
    ["", 400, { message: "'url' or 'id' must be provided!" }],
    ["?match=&id=", 400, { message: "'url' or 'id' must be provided!" }],
    ["?url=a&id=b", 400, { message: "'url' and 'id' cannot be provided together!" }],
    [
      "?match=https://example.com/a",
      404,
      {
        message: 'No external auth provider is for the URL "https://example.com/a".',
        detail: "This server has no external auth providers.",
      },
    ],
    ["?id=github&match=", 404, { message: 'No external auth provider has the id "github".' }],
  ])("are not there for %j", async (query, status, body) => {
    for (const route of ["/external-auth", "/gitauth"]) {
      expect(await asAgent("GET", `${route}${query}`)).toMatchObject({ status, body });
    }
  });
});

describe("the network", () => {
  const unreachable = { message: "Internal error dialing workspace agent." };
  /** The region of the relay map. */
  const ourRelay = { 999: { EmbeddedRelay: true, RegionID: 999, Nodes: [{ Name: "999b" }] } };
  const asked = { message: "Unknown or unsupported API version" };

  it.each([
    ["GET", "/containers?label=a=b&label=c=d", 500, unreachable],
    ["GET", "/containers?label=a", 400, { message: "Invalid label format" }],
    ["GET", "/containers/watch", 500, unreachable],
    ["DELETE", "/containers/devcontainers/x", 500, unreachable],
    ["POST", "/containers/devcontainers/x/recreate", 500, unreachable],
    ["GET", "/coordinate", 400, asked],
    ["GET", "/coordinate?version=2.0", 426, {}],
    ["GET", "/pty", 400, { message: "Invalid query parameters." }],
    ["GET", `/pty?reconnect=${uuid}&width=x`, 400, { validations: [{ field: "width" }] }],
    ["GET", `/pty?reconnect=${uuid}`, 426, {}],
    ["GET", "/connection", 200, { derp_map: { Regions: ourRelay }, hostname_suffix: "coder" }],
  ])("answers %s %s with %i", async (method, path, status, body) => {
    expect(await asAdmin(method, `/workspaceagents/${agentId}${path}`)).toMatchObject({
      status,
      body,
    });
    const unknown = await asAdmin(method, `/workspaceagents/${uuid}${path}`);
    expect(unknown.status).toBe(404);
  });

  it("says of an agent that is not connected that it is not", async () => {
    const templateId = await pushTemplate(server.admin, "waiting", template);
    const workspace = await makeWorkspace(server.admin, "waiting", templateId, () => true);
    const id = firstAgent(workspace)?.id ?? "";
    const message = 'Agent state is "connecting", it must be in the "connected" state.';
    for (const path of ["/listening-ports", "/containers", "/containers/watch"]) {
      expect(await asAdmin("GET", `/workspaceagents/${id}${path}`)).toMatchObject({
        status: 400,
        body: { message },
      });
    }
    const terminal = await asAdmin("GET", `/workspaceagents/${id}/pty?reconnect=${uuid}`);
    expect(terminal).toMatchObject({ status: 404, body: { detail: message } });
  });

  it("opens a session for clients that speak its version", async () => {
    for (const path of ["/tailnet", `/workspaceagents/${agentId}/coordinate?version=2.0`]) {
      const socket = openSocket(path);
      await once(socket, "open");
      socket.send("text");
      const [code] = await once(socket, "close");
      expect(code).toBe(1003);
    }
    expect(await asAdmin("GET", "/tailnet?version=2.11")).toMatchObject({ status: 400 });
  });

  it("ends a terminal with the reason", async () => {
    const socket = openSocket(`/workspaceagents/${agentId}/pty?reconnect=${uuid}`);
    const [code, reason] = await once(socket, "close");
    expect(code).toBe(1011);
    expect(String(reason)).toMatch(/^dial workspace agent: agent is unreachable/);
  });

  it("shows anybody the map of relays, which names this server", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v2/derp-map`);
    const [message, isBinary] = await once(socket, "message");
    expect(isBinary).toBe(true);
    expect(String(message).endsWith("}\n")).toBe(true);
    const { hostname: HostName, port } = new URL(server.url);
    const DERPPort = Number(port);
    expect(JSON.parse(String(message))).toMatchObject({
      Regions: { 999: { Nodes: [{ HostName, DERPPort, STUNPort: DERPPort, ForceHTTP: true }] } },
    });
    socket.send("x");
    const [code] = await once(socket, "close");
    expect(code).toBe(1008);
  });
});

function openSocket(path: string): WebSocket {
  const url = `${server.url.replace("http", "ws")}/api/v2${path}`;
  return new WebSocket(url, { headers: server.admin.headers });
}

describe("the identity of a machine", () => {
  it.each([
    ["aws", { document: "x", signature: "y" }, 401, { message: "Invalid AWS identity." }],
    ["aws", { document: "{}", signature: "y" }, 401, { message: "Invalid AWS identity." }],
    ["aws", {}, 400, { validations: [{ field: "signature" }, { field: "document" }] }],
    [
      "azure",
      { signature: "x", encoding: "base64" },
      401,
      { message: "Invalid Azure identity.", detail: "Signature verification failed." },
    ],
    [
      "google",
      { json_web_token: "x" },
      401,
      {
        message: "Invalid GCP identity.",
        detail: "idtoken: invalid token, token must have three segments; found 1",
      },
    ],
    ["google", { json_web_token: "a.b.c" }, 401, { message: "Invalid GCP identity." }],
  ])("of %s is refused", async (cloud, body, status, answer) => {
    const path = `${server.url}/api/v2/workspaceagents/${cloud}-instance-identity`;
    expect(await wireRequest("POST", path, { body })).toMatchObject({ status, body: answer });
  });
});
