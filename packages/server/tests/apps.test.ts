import { randomUUID } from "node:crypto";
import { once } from "node:events";

import {
  createBuild,
  createToken,
  getWorkspaceByName,
  type ScopeName,
  sharePort,
  unsharePort,
  type Workspace,
} from "@slipway/api";
import { makeWorkspace, pushTemplate, testAdmin } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import {
  type Answered,
  type AppServer,
  ask,
  type Asked,
  CookieJar,
  openApp,
} from "./support/app-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/* Apps of a workspace whose agent is ours, through the server's own peer. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let app: AppServer;
let port = "";

const html = { Accept: "text/html" };

beforeAll(async () => {
  app = opened.use(
    await openApp((request, response) => {
      response.setHeader("Set-Cookie", [
        "own=1; Domain=apps.test; Path=/",
        "coder_session_token=x",
      ]);
      response.end(`${request.method} ${request.url}`);
    }),
  );
  const environment = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test" };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  ({ port } = new URL(server.url));
  const url = `http://localhost:${app.port}`;
  const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: "${url}", subdomain: true }
      inner: { url: "${url}/inner?theme=dark", subdomain: true }
      team: { url: "${url}", subdomain: true, share: authenticated }
      open: { url: "${url}", subdomain: true, share: public }
      members: { url: "${url}", subdomain: true, share: organization }
      shell: { command: htop }
`;
  const templateId = await pushTemplate(server.admin, "apps", template);
  await makeWorkspace(server.admin, "dev", templateId, ({ status }) => status === "connected");
});

afterAll(() => opened.disposeAsync());

function hostOf(name: string): string {
  return `${name}--dev--admin.apps.test:${port}`;
}

async function askApp(name: string, path: string, asked: Asked = {}): Promise<Answered> {
  return ask(server.url, path, { host: hostOf(name), ...asked });
}

function workspace(): Promise<Workspace> {
  return server.admin.call(getWorkspaceByName, { params: { user: "me", name: "dev" } });
}

function token({ headers }: { readonly headers: Readonly<Record<string, string>> }): string {
  return headers["Coder-Session-Token"] ?? "";
}

function byCookie(client = server.admin): Record<string, string> {
  return { Cookie: `coder_session_token=${token(client)}` };
}

describe("an app at a host of its own", () => {
  it("is opened by its owner, who logs in at the server", async () => {
    const jar = new CookieJar();
    const host = hostOf("web");
    const go = async (path: string): Promise<Answered> => {
      const headers = { ...html, Cookie: jar.of(host) };
      return jar.note(host, await ask(server.url, path, { host, headers }));
    };
    const first = await go("/page?a=b");
    expect(first.status).toBe(303);
    const redirect = new URL(first.headers.location ?? "");
    expect(redirect.origin).toBe(server.url);
    const path = `${redirect.pathname}${redirect.search}`;
    const logIn = await ask(server.url, path, { headers: html });
    expect(logIn.status).toBe(303);
    expect(logIn.headers.location).toBe(
      `/login?${new URLSearchParams({ redirect: path }).toString()}`,
    );
    const back = await ask(server.url, path, { headers: byCookie() });
    expect(back.status).toBe(303);
    const target = new URL(back.headers.location ?? "");
    expect(target.host).toBe(host);
    const set = await go(`${target.pathname}${target.search}`);
    expect(set).toMatchObject({ status: 303, headers: { location: `http://${host}/page?a=b` } });
    const page = await go("/page?a=b");
    expect(page).toMatchObject({ status: 200, text: "GET /page?a=b" });
    expect(app.requests.at(-1)?.headers.cookie).toBeUndefined();
  });

  it("is opened with a session token in the header, which the app does not see", async () => {
    const headers = { "Coder-Session-Token": token(server.admin), "X-Own": "kept" };
    const answer = await askApp("web", "/x", { headers });
    expect(answer).toMatchObject({ status: 200, text: "GET /x" });
    const seen = app.requests.at(-1)?.headers;
    expect(seen).toMatchObject({
      "x-own": "kept",
      host: hostOf("web"),
      "x-forwarded-proto": "http",
    });
    expect(seen).not.toHaveProperty("coder-session-token");
    const cookies = answer.headers["set-cookie"] ?? [];
    expect(cookies[0]).toBe("own=1; Path=/");
    expect(cookies[1]).toMatch(/^coder_signed_app_token=/);
    expect(cookies).toHaveLength(2);
  });
});

describe("a login at the host of an app", () => {
  /** Opens an app as a browser that is logged in to the server; resolves to its cookies there. */
  async function logIn(name: string, client = server.admin): Promise<CookieJar> {
    const jar = new CookieJar();
    const host = hostOf(name);
    const first = jar.note(host, await askApp(name, "/", { headers: html }));
    const redirect = new URL(first.headers.location ?? "");
    const path = `${redirect.pathname}${redirect.search}`;
    const back = await ask(server.url, path, { headers: byCookie(client) });
    const target = new URL(back.headers.location ?? "");
    const headers = { ...html, Cookie: jar.of(host) };
    const code = `${target.pathname}${target.search}`;
    jar.note(host, await askApp(name, code, { headers }));
    return jar;
  }

  it("opens that app, and nothing of the server", async () => {
    const jar = await logIn("web");
    const cookie = jar.of(hostOf("web"));
    expect(await askApp("web", "/", { headers: { Cookie: cookie } })).toMatchObject({
      status: 200,
    });
    const pair = cookie.split("; ").find((one) => one.startsWith("coder_subdomain")) ?? "";
    const value = pair.split("=")[1] ?? "";
    const tries = [
      { Cookie: cookie },
      { Cookie: `coder_session_token=${value}` },
      { "Coder-Session-Token": value },
      { Authorization: `Bearer ${value}` },
    ];
    for (const headers of tries) {
      const answer = await ask(server.url, "/api/v2/users/me", { headers });
      expect(answer.status).toBe(401);
    }
    // At the host of the app even the server's own cookie reaches the app alone.
    const seen = app.requests.length;
    await askApp("web", "/api/v2/users/me", { headers: { Cookie: cookie } });
    expect(app.requests.slice(seen)).toMatchObject([{ url: "/api/v2/users/me" }]);
  });

  it("opens no other app, and counts for nobody with the server's cookie alone", async () => {
    const jar = await logIn("web");
    const headers = { ...html, Cookie: jar.of(hostOf("web")) };
    expect(await askApp("inner", "/", { headers })).toMatchObject({ status: 303 });
    expect(await askApp("web", "/", { headers: { ...html, ...byCookie() } })).toMatchObject({
      status: 303,
    });
  });

  it("ends with its session", async () => {
    const { client } = await addPerson(server, "lou");
    const jar = await logIn("team", client);
    const host = hostOf("team");
    const headers = { Cookie: jar.of(host) };
    const answer = jar.note(host, await ask(server.url, "/", { host, headers }));
    expect(answer.status).toBe(200);
    await server.request("POST", "/users/logout", undefined, client);
    const session = jar
      .of(host)
      .split("; ")
      .filter((pair) => pair.startsWith("coder_subdomain"))
      .join("; ");
    expect(await ask(server.url, "/", { host, headers: { Cookie: session } })).toMatchObject({
      status: 401,
    });
  });

  it("takes a code once, from the browser that began, at the host that began", async () => {
    const host = hostOf("web");
    const jar = new CookieJar();
    const first = jar.note(host, await askApp("web", "/", { headers: html }));
    const redirect = new URL(first.headers.location ?? "");
    const back = await ask(server.url, `${redirect.pathname}${redirect.search}`, {
      headers: byCookie(),
    });
    const target = new URL(back.headers.location ?? "");
    const code = `${target.pathname}${target.search}`;
    expect(await askApp("web", code, { headers: html })).toMatchObject({ status: 400 });
    const cookie = jar.of(host);
    const elsewhere = await askApp("inner", code, { headers: { ...html, Cookie: cookie } });
    expect(elsewhere.status).toBe(400);
    const right = { ...html, Cookie: cookie };
    const done = jar.note(host, await askApp("web", code, { headers: right }));
    expect(done.status).toBe(303);
    expect(await askApp("web", code, { headers: { ...html, Cookie: jar.of(host) } })).toMatchObject(
      {
        status: 303,
        headers: { location: `http://${host}/` },
      },
    );
    const session = jar.of(host);
    expect(session).not.toContain("slipway_app_login");
    expect(app.requests.every(({ url }) => !url.includes("coder_application_connect"))).toBe(true);
  });
});

describe("the way to an app by the server", () => {
  it.each([
    "https://evil.test/",
    "javascript:alert(1)",
    "//evil.test/",
    "/relative",
    "http://web--dev--admin.apps.test.evil.test/",
    "http://evil.test/?x=http://web--dev--admin.apps.test",
    "http://web--dev--admin.apps.test:1/",
    "https://web--dev--admin.apps.test/",
    "http://user@web--dev--admin.apps.test/",
    "http://evil.test\\@web--dev--admin.apps.test/",
    "http://apps.test/",
    "http://x.apps.test/",
    "http://a.web--dev--admin.apps.test/",
  ])("does not lead to %s", async (uri) => {
    const withPort = uri.replace("apps.test/", `apps.test:${uri.includes("user") ? port : "80"}/`);
    for (const one of [uri, withPort]) {
      const query = new URLSearchParams({ redirect_uri: one, state: "x" }).toString();
      const path = `/api/v2/applications/auth-redirect?${query}`;
      expect(await ask(server.url, path, { headers: byCookie() })).toMatchObject({ status: 400 });
    }
  });

  it("gives no code to a browser that did not begin there, or to a program", async () => {
    const uri = `http://${hostOf("web")}/x?y#z`;
    const query = new URLSearchParams({ redirect_uri: uri }).toString();
    const path = `/api/v2/applications/auth-redirect?${query}`;
    expect(await ask(server.url, path, { headers: byCookie() })).toMatchObject({
      status: 303,
      headers: { location: `http://${hostOf("web")}/x?y` },
    });
    const headers = { "Coder-Session-Token": token(server.admin) };
    const answer = await ask(server.url, path, { headers });
    expect(answer.headers.location).toMatch(/^\/login\?redirect=/);
  });
});

describe("the page to log in", () => {
  it.each([
    ["/@admin/dev/apps/web/", "/@admin/dev/apps/web/"],
    ["https://evil.test/", "/"],
    ["//evil.test/", "/"],
  ])("goes on to %s by %s", async (redirect, path) => {
    const page = `/login?${new URLSearchParams({ redirect }).toString()}`;
    const form = await ask(server.url, page);
    const formToken = /name="form_token" value="([^"]+)"/.exec(form.text)?.[1] ?? "";
    const { email, password } = testAdmin;
    const sent = await ask(server.url, page, {
      method: "POST",
      headers: { Cookie: `slipway_form=${formToken}` },
      body: new URLSearchParams({ form_token: formToken, email, password }).toString(),
    });
    expect(sent.status).toBe(200);
    expect(sent.headers["refresh"]).toBe(`0; url=${path}`);
    const [cookie = ""] = sent.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^coder_session_token=[^;]+; .*HttpOnly; SameSite=Lax/);
    const [session = ""] = cookie.split(";");
    const me = await ask(server.url, "/api/v2/users/me", { headers: { Cookie: session } });
    expect(me.status).toBe(200);
  });
});

describe("a signed token of an app", () => {
  /** Opens an app with a token in the header; resolves to the cookie that remembers the decision. */
  async function remember(name: string, client = server.admin): Promise<string> {
    const headers = { "Coder-Session-Token": token(client) };
    const answer = await askApp(name, "/", { headers });
    const cookies = answer.headers["set-cookie"] ?? [];
    const cookie = cookies.find((one) => one.startsWith("coder_signed_app_token=")) ?? "";
    expect(cookie).toMatch(/Max-Age=60; Path=\/; HttpOnly; SameSite=Lax/);
    return cookie.split(";")[0] ?? "";
  }

  it("counts with the credential that it was issued to, and with no other", async () => {
    const cookie = await remember("web");
    const own = { Cookie: cookie, "Coder-Session-Token": token(server.admin) };
    const answer = await askApp("web", "/", { headers: own });
    expect(answer.status).toBe(200);
    // Nothing new was decided.
    expect(answer.headers["set-cookie"]?.join()).not.toContain("coder_signed_app_token");
    expect(await askApp("web", "/", { headers: { Cookie: cookie } })).toMatchObject({
      status: 401,
    });
    const { client } = await addPerson(server, "eve");
    const stolen = { Cookie: cookie, "Coder-Session-Token": token(client) };
    expect(await askApp("web", "/", { headers: stolen })).toMatchObject({ status: 404 });
  });

  it("counts for the app that it was issued for, and for no other", async () => {
    const { client } = await addPerson(server, "mal");
    const cookie = await remember("team", client);
    const headers = { Cookie: cookie, "Coder-Session-Token": token(client) };
    expect(await askApp("web", "/", { headers })).toMatchObject({ status: 404 });
    const path = await ask(server.url, "/@admin/dev/apps/team/", { headers });
    expect(path.status).toBe(404);
  });

  it("of anybody for a public app opens no other", async () => {
    const answer = await askApp("open", "/");
    expect(answer.status).toBe(200);
    const [cookie = ""] = (answer.headers["set-cookie"] ?? []).slice(-1);
    const headers = { Cookie: cookie.split(";")[0] ?? "" };
    expect(await askApp("open", "/", { headers })).toMatchObject({ status: 200 });
    expect(await askApp("web", "/", { headers })).toMatchObject({ status: 401 });
  });

  it.each(["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", ".".repeat(5_000)])(
    "that is forged counts for nothing: %s",
    async (value) => {
      const headers = { Cookie: `coder_signed_app_token=${value}` };
      expect(await askApp("web", "/", { headers })).toMatchObject({ status: 401 });
    },
  );
});

describe("sharing", () => {
  interface Viewer {
    readonly name: string;
    readonly headers: Record<string, string>;
  }
  const viewers: Viewer[] = [];

  beforeAll(async () => {
    const { client: member } = await addPerson(server, "mia");
    const { client: auditor } = await addPerson(server, "aud", ["auditor"]);
    const { client: owner } = await addPerson(server, "own", ["owner"]);
    viewers.push(
      { name: "nobody", headers: {} },
      { name: "member", headers: { "Coder-Session-Token": token(member) } },
      { name: "auditor", headers: { "Coder-Session-Token": token(auditor) } },
      { name: "owner role", headers: { "Coder-Session-Token": token(owner) } },
      { name: "owner", headers: { "Coder-Session-Token": token(server.admin) } },
    );
  });

  it.each([
    ["web", [401, 404, 404, 200, 200]],
    ["members", [401, 200, 200, 200, 200]],
    ["team", [401, 200, 200, 200, 200]],
    ["open", [200, 200, 200, 200, 200]],
    ["unknown", [401, 404, 404, 404, 404]],
    ["shell", [401, 404, 404, 400, 400]],
  ])("of %s at a host of its own", async (name, statuses) => {
    const answers = await Promise.all(viewers.map(({ headers }) => askApp(name, "/", { headers })));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  });

  it.each(["web", "members", "team", "open"])("of %s does not count at a path", async (name) => {
    const path = `/@admin/dev/apps/${name}/`;
    const answers = await Promise.all(
      viewers.map(({ headers }) => ask(server.url, path, { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 404, 404, 200]);
  });

  it("of what is not there looks like that of what may not be opened", async () => {
    const [, member] = viewers;
    const headers = member?.headers ?? {};
    const [hidden, missing] = await Promise.all(
      ["web--dev--admin", "web--none--admin", "web--dev--nobody"].map(async (name) =>
        ask(server.url, "/", { host: `${name}.apps.test:${port}`, headers }),
      ),
    );
    expect(missing?.text).toBe(hidden?.text);
    expect(missing?.status).toBe(hidden?.status);
  });

  it("does not count for tokens that are limited to something else", async () => {
    const limited = async (scopes: ScopeName[], allow: string[] = ["*:*"]): Promise<number> => {
      const { key } = await server.admin.call(createToken, {
        params: { user: "me" },
        body: {
          scopes,
          allow_list: allow,

          token_name: `t${randomUUID().slice(0, 8)}`,
        },
      });
      return (await askApp("web", "/", { headers: { "Coder-Session-Token": key } })).status;
    };
    expect(await limited(["workspace:read"])).toBe(401);
    expect(await limited(["workspace:application_connect"])).toBe(200);
    expect(await limited(["coder:application_connect"])).toBe(200);
    const other = `workspace:${randomUUID()}`;
    expect(await limited(["workspace:application_connect"], [other])).toBe(404);
  });
});

describe("pages of other sites", () => {
  const evil = { Origin: "https://evil.test" };

  it("change nothing with the cookie of a viewer, and open no WebSocket", async () => {
    const cookie = byCookie();
    const path = "/@admin/dev/apps/web/";
    for (const headers of [evil, { Origin: "null" }]) {
      const asked = { method: "POST", headers: { ...cookie, ...headers } };
      expect(await ask(server.url, path, asked)).toMatchObject({ status: 403 });
    }
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const refused = await ask(server.url, path, { headers: { ...cookie, ...evil, ...upgrade } });
    expect(refused.status).toBe(403);
    const own = { ...cookie, Origin: server.url };
    expect(await ask(server.url, path, { method: "POST", headers: own })).toMatchObject({
      status: 200,
    });
  });

  it("are told that they may read nothing, but other apps of the user may", async () => {
    const preflight = {
      "Access-Control-Request-Method": "PUT",
      Origin: `http://${hostOf("team")}`,
    };
    const seen = app.requests.length;
    expect(await askApp("web", "/", { method: "OPTIONS", headers: preflight })).toMatchObject({
      status: 204,
      headers: {
        "access-control-allow-origin": `http://${hostOf("team")}`,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
      },
    });
    const other = await askApp("web", "/", {
      method: "OPTIONS",
      headers: { ...preflight, ...evil },
    });
    expect(other.status).toBe(204);
    expect(other.headers).not.toHaveProperty("access-control-allow-origin");
    expect(app.requests).toHaveLength(seen);
  });
});

describe("an app's address", () => {
  const headers = (): Record<string, string> => ({ "Coder-Session-Token": token(server.admin) });

  it("of a path ends with a slash", async () => {
    expect(await ask(server.url, "/@admin/dev/apps/web?a=b", { headers: headers() })).toMatchObject(
      {
        status: 307,
        headers: { location: `${server.url}/@admin/dev/apps/web/?a=b` },
      },
    );
  });

  it("gets the query of the app's URL, below the path of that", async () => {
    expect(await askApp("inner", "/", { headers: headers() })).toMatchObject({
      status: 307,
      headers: { location: `http://${hostOf("inner")}/?theme=dark` },
    });
    expect(await askApp("inner", "/a?b=c", { headers: headers() })).toMatchObject({
      text: "GET /inner/a?b=c",
    });
  });

  it("is passed on as it is spelled", async () => {
    const path = "/a%2Fb//../c?x=%20&coder_session_token=secret&y";
    expect(await askApp("web", path, { headers: headers() })).toMatchObject({
      text: "GET /a%2Fb//../c?x=%20&y",
    });
  });

  it.each(["x", "8080--dev--admin", "web--dev--admin--a--b"])(
    "of the host %s is refused",
    async (name) => {
      const host = `${name}.apps.test:${port}`;
      const answer = await ask(server.url, "/api/v2/buildinfo", { host, headers: html });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain("Invalid app address");
    },
  );

  it.each([
    "/@admin/dev/apps/",
    "/@me/dev/apps/web/",
    "/@admin/dev/terminal",
    "/@%ff/dev/apps/web/",
  ])("%s leads nowhere", async (path) => {
    expect(await ask(server.url, path, { headers: headers() })).toMatchObject({ status: 404 });
  });
});

it("shows what others wrote as text", async () => {
  const answer = await askApp("web", "/", {
    headers: { ...html, "Coder-Session-Token": "<script>alert(1)</script>" },
  });
  expect(answer.text).not.toContain("<script>");
  const page = await ask(server.url, "/login?redirect=%22%3E%3Cscript%3E");
  expect(page.text).not.toContain("<script>");
});

describe("a port of an agent", () => {
  const name = (): string => `${app.port}--main`;
  const share = async (level: "authenticated" | "organization" | "public"): Promise<void> => {
    const { id } = await workspace();
    const body = { agent_name: "main", port: app.port, share_level: level };
    await server.admin.call(sharePort, { params: { workspace: id }, body });
  };

  it("is opened by its owner, unless it is shared", async () => {
    const { client } = await addPerson(server, "per");
    const other = { "Coder-Session-Token": token(client) };
    const statuses = async (): Promise<number[]> => {
      const own = { "Coder-Session-Token": token(server.admin) };
      const answers = await Promise.all(
        [own, other, {}].map((headers) => askApp(name(), "/", { headers })),
      );
      return answers.map(({ status }) => status);
    };
    expect(await statuses()).toEqual([200, 404, 401]);
    await share("organization");
    expect(await statuses()).toEqual([200, 200, 401]);
    await share("public");
    expect(await statuses()).toEqual([200, 200, 200]);
    const { id } = await workspace();
    const body = { agent_name: "main", port: app.port };
    await server.admin.call(unsharePort, { params: { workspace: id }, body });
    expect(await statuses()).toEqual([200, 404, 401]);
  });

  it("that is no longer shared closes what is open of it", async () => {
    await share("public");
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { Host: hostOf(name()) } });
    await once(socket, "open");
    const { id } = await workspace();
    const body = { agent_name: "main", port: app.port };
    await server.admin.call(unsharePort, { params: { workspace: id }, body });
    await once(socket, "close");
  });

  it.each(["7777777", "0008", "8"])("%s is refused", async (text) => {
    const headers = { "Coder-Session-Token": token(server.admin), ...html };
    const answer = await askApp(`${text}--main`, "/", { headers });
    expect([400, 404]).toContain(answer.status);
  });
});

it("opens a path app for its owner, isolated", async () => {
  const answer = await ask(server.url, "/@admin/dev/apps/web/x/y?z", { headers: byCookie() });
  expect(answer).toMatchObject({ status: 200, text: "GET /x/y?z" });
  expect(answer.headers["content-security-policy"]).toMatch(/^sandbox /);
  const { client } = await addPerson(server, "pat");
  const other = await ask(server.url, "/@admin/dev/apps/open/", { headers: byCookie(client) });
  expect(other.status).toBe(404);
});

it("says so when the workspace is stopped, to those who may know", async () => {
  const headers = { "Coder-Session-Token": token(server.admin) };
  const { id } = await workspace();
  await server.admin.call(createBuild, { params: { workspace: id }, body: { transition: "stop" } });
  await expect
    .poll(async () => (await askApp("web", "/", { headers })).status, { timeout: 20_000 })
    .toBe(400);
  expect((await askApp("web", "/", { headers: { ...headers, ...html } })).text).toContain(
    "Workspace is not running",
  );
  const { client } = await addPerson(server, "zoe");
  const other = { "Coder-Session-Token": token(client) };
  expect(await askApp("web", "/", { headers: other })).toMatchObject({ status: 404 });
  // Nobody can tell the level of an app that is not there.
  expect(await askApp("open", "/", { headers: other })).toMatchObject({ status: 404 });
});
