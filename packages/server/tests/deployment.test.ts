import { once } from "node:events";

import { listAuditLogs } from "@slipway/api/audit/routes";
import {
  checkAuthorization,
  getAppearance,
  getDeploymentConfig,
  getHealthReport,
  listRegions,
  updateAppearance,
} from "@slipway/api/deployment/routes";
import { listInboxNotifications } from "@slipway/api/notifications/routes";
import type { OpenApiDocument } from "@slipway/api/openapi/document";
import { silentLogger } from "@slipway/runtime";
import { connectExternalAgent, makeWorkspace, pushTemplate, testAdmin } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { reportHealth } from "../src/features/deployment/health-service.ts";
import { openDatabase } from "../src/platform/db/database.ts";
import { openReplica, type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";

const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let member: Person["client"];

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  ({ client: member } = await addPerson(server, "mia"));
});

afterAll(() => opened.disposeAsync());

describe("what clients set themselves up by", () => {
  it.each([
    [
      "/deployment/ssh",
      { hostname_prefix: "coder.", hostname_suffix: "slipway", ssh_config_options: {} },
    ],
    ["/applications/host", { host: "" }],
    ["/experiments", []],
    [
      "/entitlements",
      {
        features: {
          access_control: { entitlement: "entitled", enabled: true },
          advanced_template_scheduling: { entitlement: "entitled", enabled: true },
        },
        has_license: false,
      },
    ],
    ["/notifications/inbox", { notifications: [], unread_count: 0 }],
    ["/updatecheck", { current: true }],
    ["/appearance", { application_name: "Slipway", announcement_banners: [] }],
    ["/auth/scopes", { external: expect.arrayContaining(["coder:all", "workspace:ssh"]) }],
  ])("is at %s", async (path, body) => {
    expect(await server.request("GET", path, undefined, member)).toMatchObject({
      status: 200,
      body,
    });
  });

  it("has the banners that an owner sets, which agents read", async () => {
    const banner = { enabled: true, message: "maintenance at noon", background_color: "#ff0000" };
    const body = { announcement_banners: [banner, { enabled: false, message: "later" }] };
    expect(await server.admin.call(updateAppearance, { body })).toEqual(body);
    expect(await server.admin.call(updateAppearance, { body })).toEqual(body);
    expect(await member.call(getAppearance, {})).toMatchObject(body);
    const templateId = await pushTemplate(server.admin, "banners", template);
    const workspace = await makeWorkspace(server.admin, "banners", templateId, () => true);
    const { connection } = await connectExternalAgent(server.admin, workspace.id, "main");
    onTestFinished(() => connection.close());
    const { signal } = new AbortController();
    const read = await connection.unary(Agent.method.getAnnouncementBanners, {}, signal);
    expect(read.announcementBanners).toMatchObject([
      { enabled: true, message: banner.message, backgroundColor: "#ff0000" },
      { enabled: false, message: "later" },
    ]);
    expect(await connection.unary(Agent.method.getServiceBanner, {}, signal)).toMatchObject({
      enabled: true,
      message: banner.message,
    });
    const query = { q: "resource_type:appearance" };
    // The second update changed nothing.
    expect((await server.admin.call(listAuditLogs, { query })).audit_logs).toMatchObject([
      { resource_type: "appearance", action: "write" },
    ]);
    await server.admin.call(updateAppearance, { body: { announcement_banners: [] } });
  });

  it.each([
    { announcement_banners: Array.from({ length: 9 }, () => ({ enabled: true })) },
    { announcement_banners: [{ enabled: true, message: "x".repeat(1_001) }] },
    { announcement_banners: [{ enabled: true, background_color: "red;}" }] },
    { announcement_banners: [{ message: "not said whether it is enabled" }] },
    {},
  ])("takes no banners that are too much or malformed: %#", async (body) => {
    expect(await server.request("PUT", "/appearance", body)).toMatchObject({ status: 400 });
  });

  it("names one region, with the deployment's id and the access URL", async () => {
    const { regions } = await member.call(listRegions, {});
    expect(regions).toMatchObject([
      { name: "primary", healthy: true, path_app_url: server.url, wildcard_hostname: "" },
    ]);
  });

  it("names the host of apps, with the port at which the server is reached", async () => {
    const wildcard = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.example.com" };
    await using replica = await openReplica(server, wildcard);
    const { port } = new URL(replica.url);
    const read = async (path: string): Promise<unknown> =>
      (await fetch(`${replica.url}/api/v2${path}`, { headers: member.headers })).json();
    const host = `*.apps.example.com:${port}`;
    expect(await read("/applications/host")).toEqual({ host });
    expect(await read("/regions")).toMatchObject({ regions: [{ wildcard_hostname: host }] });
  });

  it("tells any page how far away it is", async () => {
    const response = await fetch(`${server.url}/latency-check`);
    expect(await response.text()).toBe("OK");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("timing-allow-origin")).toBe("*");
  });
});

describe("what only owners see", () => {
  it("is the settings, without secrets", async () => {
    const { config } = await server.admin.call(getDeploymentConfig, {});
    expect(config).toMatchObject({ access_url: server.url, database: "external" });
    expect(Object.keys(config).filter((key) => /key|password|secret|url$/.test(key))).toEqual([
      "access_url",
    ]);
    await expect(member.call(getDeploymentConfig, {})).rejects.toMatchObject({ status: 404 });
  });

  it("is the health of the database and of the access URL", async () => {
    const report = await server.admin.call(getHealthReport, {});
    expect(report).toMatchObject({
      healthy: true,
      access_url: { reachable: true, status_code: 200, healthz_response: "OK" },
      database: { reachable: true, threshold_ms: 15 },
    });
    await expect(member.call(getHealthReport, {})).rejects.toMatchObject({ status: 404 });
  });

  it("is that of its worst part", async () => {
    await using db = openDatabase({ url: "postgres://127.0.0.1:1/none" }, silentLogger);
    const accessUrl = `${server.url}/api/v2`;
    expect(await reportHealth(db, { version: "v0", accessUrl, now: 0 })).toMatchObject({
      healthy: false,
      severity: "error",
      access_url: { severity: "warning", status_code: 404 },
      database: { severity: "error" },
    });
  });
});

describe("authcheck", () => {
  const own = { resource_type: "workspace", owner_id: "me" };
  const checks = {
    own: { object: own, action: "delete" },
    any: { object: { resource_type: "workspace" }, action: "read" },
    template: { object: { resource_type: "template" }, action: "update" },
    read: { object: { resource_type: "template" }, action: "read" },
    users: { object: { resource_type: "user" }, action: "read" },
    me: { object: { resource_type: "user", owner_id: "me" }, action: "read" },
    key: { object: { resource_type: "api_key", owner_id: "me" }, action: "create" },
    config: { object: { resource_type: "deployment_config" }, action: "read" },
    gone: {
      object: { ...own, resource_id: "11111111-1111-4111-8111-111111111111" },
      action: "read",
    },
  };

  it("tells an owner what exists, and yes to all of it", async () => {
    const answers = await server.admin.call(checkAuthorization, { body: { checks } });
    const { gone, ...rest } = answers;
    expect(gone).toBe(false);
    expect(new Set(Object.values(rest))).toEqual(new Set([true]));
  });

  it("tells a member what is theirs", async () => {
    expect(await member.call(checkAuthorization, { body: { checks } })).toEqual({
      own: true,
      any: false,
      template: false,
      read: true,
      users: false,
      me: true,
      key: true,
      config: false,
      gone: false,
    });
  });

  it("tells those with a role what it lets them do", async () => {
    const audit = { object: { resource_type: "audit_log" }, action: "read" };
    const body = { checks: { audit, template: checks.template, any: checks.any } };
    const { client: auditor } = await addPerson(server, "otto", ["auditor"]);
    expect(await auditor.call(checkAuthorization, { body })).toMatchObject({
      audit: true,
      template: false,
    });
    const { client: author } = await addPerson(server, "tea", ["template-admin"]);
    expect(await author.call(checkAuthorization, { body })).toEqual({
      audit: false,
      template: true,
      any: true,
    });
  });

  it("refuses too many questions about single resources", async () => {
    const many = Array.from({ length: 11 }, (_, index) => [`q${index}`, checks.gone]);
    const body = { checks: Object.fromEntries(many) };
    expect(await server.request("POST", "/authcheck", body)).toMatchObject({
      status: 400,
      body: { message: "At most 10 checks may have a resource_id, found 11." },
    });
  });
});

describe("the inbox", () => {
  it("keeps a watcher in silence", async () => {
    const url = `${server.url.replace("http", "ws")}/api/v2/notifications/inbox/watch?format=plaintext`;
    const socket = new WebSocket(url, { headers: member.headers });
    const messages: unknown[] = [];
    socket.on("message", (data) => messages.push(data));
    await once(socket, "open");
    socket.ping();
    await once(socket, "pong");
    socket.close();
    await once(socket, "close");
    expect(messages).toEqual([]);
  });

  it("names what may be asked for", async () => {
    expect(await server.request("GET", "/notifications/inbox?read_status=some")).toMatchObject({
      status: 400,
      body: {
        validations: [
          { field: "read_status", detail: 'must be one of all, read, unread, found "some"' },
        ],
      },
    });
    await expect(
      member.call(listInboxNotifications, { query: { read_status: "unread" } }),
    ).resolves.toEqual({ notifications: [], unread_count: 0 });
  });
});

describe("the description of the API", () => {
  it("is sent to nobody who has it", async () => {
    const url = `${server.url}/api/v2/openapi.json`;
    const first = await fetch(url);
    const tag = first.headers.get("etag") ?? "";
    expect(first.headers.get("content-type")).toBe("application/json; charset=utf-8");
    await first.text();
    const again = await fetch(url, { headers: { "If-None-Match": tag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const other = await fetch(url, { headers: { "If-None-Match": '"other"' } });
    expect([other.status, other.headers.get("etag")]).toEqual([200, tag]);
    await other.text();
  });

  it("counts the files of its page", async () => {
    const url = `${server.url}/api/v2/docs`;
    const { headers } = await fetch(url, { method: "HEAD" });
    expect(headers.get("x-ratelimit-remaining")).toBe("511");
    const script = await fetch(`${url}/swagger-ui-bundle.js`, { method: "HEAD" });
    expect(script.headers.get("x-ratelimit-remaining")).toBe("510");
  });

  it("tells every route that the server has", async () => {
    const { status, body } = await server.request("GET", "/openapi.json");
    expect(status).toBe(200);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- packages/api tests that it is one
    const { paths } = body as OpenApiDocument;
    expect(paths["/workspaces/{workspace}/builds"]?.["post"]).toMatchObject({
      operationId: "createBuild",
    });
    const places = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
    const unserved: string[] = [];
    for (const { method, path } of places) {
      const answer = await server.request(
        method,
        path.replaceAll(/\{[^}]+\}/g, "x"),
        undefined,
        member,
      );
      if (JSON.stringify(answer.body).includes("Route not found."))
        unserved.push(`${method} ${path}`);
    }
    expect(unserved).toEqual([]);
  });

  it("can be browsed without the internet", async () => {
    const page = await fetch(`${server.url}/api/v2/docs`);
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, link = ""]) => link);
    expect(links).toHaveLength(4);
    const statuses = await Promise.all(
      links.map(async (link) => (await fetch(`${server.url}${link}`)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(html).not.toMatch(/https?:\/\//);
  });
});

describe("the page that shows a key", () => {
  interface Form {
    readonly cookie: string;
    readonly token: string;
  }

  async function openForm(): Promise<Form> {
    const page = await fetch(`${server.url}/cli-auth`);
    expect(page.headers.get("cache-control")).toBe("no-store");
    const cookie = page.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^slipway_form=[\w-]{22}; Path=\/cli-auth; HttpOnly; SameSite=Strict$/);
    const token = /name="form_token" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
    return { cookie: cookie.split(";")[0] ?? "", token };
  }

  function send(
    fields: Record<string, string>,
    headers: Record<string, string>,
  ): Promise<Response> {
    const body = new URLSearchParams(fields);
    return fetch(`${server.url}/cli-auth`, { method: "POST", body, headers });
  }

  it("asks for email and password and shows a key that works", async () => {
    const { cookie, token } = await openForm();
    const fields = { ...testAdmin, form_token: token };
    const page = await send(fields, { cookie, origin: server.url });
    expect(page.status).toBe(200);
    const key = /<code>([^<]+)<\/code>/.exec(await page.text())?.[1] ?? "";
    const me = await fetch(`${server.url}/api/v2/users/me`, {
      headers: { "Coder-Session-Token": key },
    });
    expect(await me.json()).toMatchObject({ username: "admin" });
  });

  it("says what is wrong, and shows what was typed as text", async () => {
    const { cookie, token } = await openForm();
    const fields = { email: '"><script>', password: "no", form_token: token };
    const page = await send(fields, { cookie });
    expect(page.status).toBe(401);
    const html = await page.text();
    expect(html).toContain("Incorrect email or password.");
    expect(html).toContain('value="&quot;&gt;&lt;script&gt;"');
    expect(html).not.toContain('"no"');
  });

  it("takes no form that is not its own", async () => {
    const { cookie, token } = await openForm();
    const fields = { ...testAdmin, form_token: token };
    expect((await send(fields, {})).status).toBe(403);
    expect((await send({ ...testAdmin }, { cookie })).status).toBe(403);
    expect((await send(fields, { cookie, origin: "http://elsewhere.example" })).status).toBe(403);
  });

  it.each([
    ["an address with a NUL", "a\0b@example.com", "password"],
    ["a very long address", `${"a".repeat(2_000)}@example.com`, "password"],
    ["a password with a NUL", "ann@example.com", "pass\0word"],
    ["no password", "ann@example.com", ""],
  ])("refuses %s, as a log-in by the API does", async (_what, email, password) => {
    const { cookie, token } = await openForm();
    const page = await send({ email, password, form_token: token }, { cookie });
    expect(page.status).toBe(400);
    expect(await page.text()).toContain("Enter an email address and a password.");
  });

  it("looks at no session", async () => {
    const page = await fetch(`${server.url}/cli-auth`, { headers: server.admin.headers });
    expect(await page.text()).not.toContain("<code>");
  });

  // Last: no further attempt is processed within the minute.
  it("takes sixty attempts a minute", async () => {
    const { cookie, token } = await openForm();
    const fields = { email: "nobody@example.com", password: "wrong", form_token: token };
    const attempts = Array.from({ length: 61 }, () => send(fields, { cookie }));
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });
});
