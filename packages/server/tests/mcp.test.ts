import { randomUUID } from "node:crypto";
import { type IncomingMessage, request } from "node:http";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { openClient, pushTemplate } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { type OpenServer, openReplica, openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/* The MCP server over streamable HTTP, as the clients of 2025 and of 2026 call it. */

const template = `driver: external
parameters:
  greeting: { type: string, default: hello }
presets:
  polite: { parameters: { greeting: good day } }
agents: { main: { os: linux, arch: amd64 } }
`;

type Headers = Readonly<Record<string, string>>;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let replicaUrl = "";

beforeAll(async () => {
  server = opened.use(
    await openServer(inject("postgresUrl"), { SLIPWAY_MAX_MCP_CALLS_PER_USER: "4" }),
  );
  replicaUrl = opened.use(await openReplica(server, { SLIPWAY_MCP_STOCK_NAMES: "true" })).url;
  await pushTemplate(server.admin, "outside", template);
});
afterAll(() => opened.disposeAsync());

/** Connects a client of a revision of the protocol. */
async function connect(
  mode: "legacy" | { readonly pin: string },
  headers: Headers = server.admin.headers,
  url: string = server.url,
): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const endpoint = new URL("/api/v2/mcp", url);
  await client.connect(new StreamableHTTPClientTransport(endpoint, { requestInit: { headers } }));
  onTestFinished(() => client.close());
  return client;
}

const modern = { pin: "2026-07-28" };

function post(body: string, headers: Headers = {}): Promise<Response> {
  return fetch(`${server.url}/api/v2/mcp`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      ...headers,
    },
    body,
  });
}

function callText(name: string, input: object): string {
  const params = { name, arguments: input };
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
}

/** Creates a token of the administrator with a part of their rights. */
async function limitedTo(body: object): Promise<Headers> {
  const answer = await server.request("POST", "/users/me/keys/tokens", body);
  return openClient(server.url, String(Object(answer.body).key)).headers;
}

describe.each([
  ["2025-11-25", "legacy"],
  ["2026-07-28", modern],
] as const)("a client of %s", (_, mode) => {
  it("lists tools with schemas and annotations, and creates, lists, stops and deletes a workspace", async () => {
    const client = await connect(mode);
    const { tools } = await client.listTools();
    for (const tool of tools) {
      expect(tool, tool.name).toMatchObject({
        title: expect.any(String),
        description: expect.any(String),
        inputSchema: { type: "object", additionalProperties: false },
        outputSchema: { type: "object" },
        annotations: { openWorldHint: false, destructiveHint: expect.any(Boolean) },
      });
    }
    const call = (name: string, input: object) =>
      client.callTool({ name, arguments: { ...input } });
    const templates = await call("list_templates", { name: "outside" });
    expect(templates.structuredContent).toMatchObject({
      templates: [{ presets: ["polite"], parameters: [{ name: "greeting", default: "hello" }] }],
    });
    const name = `w-${randomUUID().slice(0, 8)}`;
    const created = await call("create_workspace", {
      template: "outside",
      name,
      preset: "polite",
      ttl_minutes: 60,
      on_deadline: "delete",
      wait_seconds: 1,
    });
    expect(created.structuredContent).toMatchObject({
      workspace: { name, owner: "admin", template: "outside", on_deadline: "delete" },
      is_ready: false,
      waiting_for: "waiting for agent main to connect",
    });
    const listed = await call("list_workspaces", { query: `name:${name}` });
    expect(listed.structuredContent).toMatchObject({
      workspaces: [{ name }],
      count: 1,
      is_truncated: false,
    });
    const stopped = await call("stop_workspace", { workspace: name });
    expect(stopped.structuredContent).toMatchObject({
      workspace: { status: "stopped" },
      is_ready: true,
    });
    const deleted = await call("delete_workspace", { workspace: `admin/${name}` });
    expect(deleted.structuredContent).toMatchObject({ workspace: { status: "deleted" } });
    const gone = await call("stop_workspace", { workspace: name });
    expect(gone.isError).toBe(true);
  });
});

it("answers at any replica, with the stock names where the operator wants them", async () => {
  const client = await connect(modern, server.admin.headers, replicaUrl);
  const { tools } = await client.listTools();
  const names = tools.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(["create_workspace", "coder_create_workspace", "coder_list_workspaces"]),
  );
  const listed = await client.callTool({ name: "coder_list_workspaces", arguments: {} });
  expect(listed.structuredContent).toHaveProperty("workspaces");
  const plain = await (await connect(modern)).listTools();
  expect(plain.tools.filter(({ name }) => name.startsWith("coder_"))).toEqual([]);
});

it.each([
  ["create_workspace", { template: "missing", name: "x1" }, "there is no template missing"],
  ["create_workspace", { template: "outside", name: "x2", preset: "rude" }, "found: polite"],
  ["create_workspace", { template: "outside", name: "a b" }, "name"],
  ["stop_workspace", { workspace: "nobody/nothing" }, "not found"],
  ["stop_workspace", { workspace: "a/b/c" }, "several slashes"],
  ["stop_workspace", { workspace: "../../users/me" }, "several slashes"],
  ["forward_port", { workspace: "no.agent", port: 80 }, "not found"],
  ["list_workspaces", { query: "status:" }, "status"],
  ["list_workspaces", { limit: 100_000 }, "limit"],
  ["list_workspaces", { extra: true }, "additional"],
] as const)("%s with %j says what is wrong", async (name, input, text) => {
  const client = await connect(modern);
  const { isError, content } = await client.callTool({ name, arguments: { ...input } });
  expect(isError).toBe(true);
  expect(JSON.stringify(content).toLowerCase()).toContain(text.toLowerCase());
});

describe("a caller without all rights", () => {
  it("is told where to learn about tokens, and the document names the endpoint itself", async () => {
    const response = await post(callText("list_workspaces", {}));
    expect(response.status).toBe(401);
    const challenge = response.headers.get("www-authenticate") ?? "";
    const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
    expect(new URL(url).pathname).toBe("/.well-known/oauth-protected-resource/api/v2/mcp");
    const metadata: unknown = await (await fetch(url)).json();
    expect(metadata).toMatchObject({
      resource: `${server.url}/api/v2/mcp`,
      bearer_methods_supported: ["header"],
    });
    const whole = await fetch(`${server.url}/.well-known/oauth-protected-resource`);
    expect(await whole.json()).toMatchObject({ resource: server.url });
  });

  it("is offered the tools that the scopes of the token open, and no others", async () => {
    const headers = await limitedTo({ scopes: ["workspace:read"] });
    const client = await connect(modern, headers);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["list_workspaces"]);
    const input = { template: "outside", name: "no" };
    await expect(client.callTool({ name: "create_workspace", arguments: input })).rejects.toThrow();
    const without = await limitedTo({ scopes: ["template:read"] });
    const refused = await post(callText("list_templates", {}), without);
    expect(refused.status).toBe(403);
  });

  it("sees only what the allow list of the token names", async () => {
    const first = await makeWorkspace("mine");
    await makeWorkspace("other");
    const headers = await limitedTo({
      scopes: ["workspace:read", "workspace:stop"],
      allow_list: [`workspace:${first}`],
    });
    const client = await connect(modern, headers);
    const stop = (workspace: string) =>
      client.callTool({ name: "stop_workspace", arguments: { workspace, wait_seconds: 0 } });
    expect((await stop("mine")).isError).toBeUndefined();
    const other = await stop("other");
    expect(other.isError).toBe(true);
    expect(JSON.stringify(other.content)).toContain("another workspace");
  });

  it("does not learn of others' workspaces", async () => {
    await makeWorkspace("secret");
    const bob = await addPerson(server, "bob");
    const client = await connect(modern, bob.client.headers);
    const theirs = await client.callTool({
      name: "stop_workspace",
      arguments: { workspace: "admin/secret" },
    });
    const none = await client.callTool({
      name: "stop_workspace",
      arguments: { workspace: "admin/none" },
    });
    expect(theirs).toMatchObject({ isError: true, content: none.content });
    const listed = await client.callTool({ name: "list_workspaces", arguments: { query: "" } });
    expect(listed.structuredContent).toMatchObject({ workspaces: [], count: 0 });
  });
});

async function makeWorkspace(name: string): Promise<string> {
  const client = await connect(modern);
  const input = { template: "outside", name, wait_seconds: 1 };
  const made = await client.callTool({ name: "create_workspace", arguments: input });
  return String(Object(made.structuredContent).workspace.id);
}

it("records each call with its workspace and outcome, and nothing that was said", async () => {
  await makeWorkspace("recorded");
  const client = await connect(modern);
  await client.callTool({ name: "stop_workspace", arguments: { workspace: "recorded" } });
  await client.callTool({ name: "list_workspaces", arguments: { query: "status:planted-text" } });
  const { rows } = await sql<{ readonly target: string; readonly fields: unknown }>`
    select resource_target as target, additional_fields as fields from audit_log
      where action = 'call' order by created_at`.execute(server.db);
  expect(rows).toContainEqual({
    target: "recorded",
    fields: { mcp_tool: "create_workspace", outcome: "done" },
  });
  expect(rows).toContainEqual({
    target: "recorded",
    fields: { mcp_tool: "stop_workspace", outcome: "done" },
  });
  expect(rows.at(-1)).toMatchObject({
    target: "admin",
    fields: { mcp_tool: "list_workspaces", outcome: "refused" },
  });
  expect(JSON.stringify(rows)).not.toContain("planted-text");
  const shown = await server.request("GET", "/audit?q=action:call&limit=1");
  expect(JSON.stringify(shown.body)).toContain("used a tool on");
});

describe("a client that misbehaves", () => {
  it("has a limited number of calls under way, which it gets back when it leaves", async () => {
    await makeWorkspace("waits");
    const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    const leaving = new AbortController();
    const body = callText("start_workspace", { workspace: "waits", wait_seconds: 60 });
    const headers = { ...server.admin.headers, ...json };
    // More than may wait at once: the others are refused, whatever was answered just now.
    const waiting = Promise.allSettled(
      Array.from({ length: 8 }, () =>
        fetch(`${server.url}/api/v2/mcp`, {
          method: "POST",
          headers,
          body,
          signal: leaving.signal,
        }),
      ),
    );
    await expect.poll(async () => (await post(ping, server.admin.headers)).status).toBe(429);
    // They are the user's, whichever token a program has.
    const refused = await post(ping, await limitedTo({ scopes: ["workspace:read"] }));
    expect(refused.status).toBe(429);
    expect(await refused.text()).toContain("SLIPWAY_MAX_MCP_CALLS_PER_USER");
    leaving.abort();
    await waiting;
    const canceled = async () => {
      const { rows } = await sql`select from audit_log where resource_target = 'waits'
        and additional_fields = '{"mcp_tool": "start_workspace", "outcome": "canceled"}'::jsonb`.execute(
        server.db,
      );
      return rows.length;
    };
    await expect.poll(canceled).toBeGreaterThan(0);
    await expect.poll(async () => (await post(ping, server.admin.headers)).status).toBe(200);
  });

  it.each([
    ["no JSON", "{", 400],
    ["nothing", "", 400],
    ["a number", "1", 400],
    ["no method", "{}", 400],
    ["a batch", `${" ".repeat(5_000)}\n[${callText("list_workspaces", {})}]`, 400],
    ["nested arrays", `${"[".repeat(50_000)}${"]".repeat(50_000)}`, 400],
    ["too much", " ".repeat(1_048_577), 413],
  ])("gets an error for %s", async (_, body, status) => {
    expect((await post(body, server.admin.headers)).status).toBe(status);
  });

  it("is refused from a page of another site, even at a name that leads to the server", async () => {
    const { port } = new URL(server.url);
    for (const [host, origin] of [
      [`127.0.0.1:${port}`, "https://evil.example.com"],
      [`evil.example.com:${port}`, `http://evil.example.com:${port}`],
      [`127.0.0.1:${port}`, "null"],
    ] as const) {
      expect(await statusOf({ host, origin }), origin).toBe(403);
    }
    const own = `localhost:${port}`;
    expect(await statusOf({ host: own, origin: `http://${own}` })).toBe(200);
  });

  it.each(["GET", "DELETE"])("has no session to %s", async (method) => {
    const { headers } = server.admin;
    const response = await fetch(`${server.url}/api/v2/mcp`, { method, headers });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toContain("POST");
  });
});

/** Sends a ping with headers that `fetch` does not let through. */
async function statusOf(headers: Headers): Promise<number | undefined> {
  const sent = request(`${server.url}/api/v2/mcp`, {
    method: "POST",
    headers: { ...server.admin.headers, ...json, ...headers },
  });
  sent.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }));
  const answered = Promise.withResolvers<IncomingMessage>();
  sent.once("response", answered.resolve).once("error", answered.reject);
  const answer = await answered.promise;
  return answer.resume().statusCode;
}

const json = {
  "Content-Type": "application/json",
  Accept: "application/json, text/event-stream",
};
