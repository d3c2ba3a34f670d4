import { makeWorkspace, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

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

it("opens ports of an agent", async () => {
  const headers = { "Coder-Session-Token": token(server.admin) };
  const host = `${app.port}--main--dev--admin.apps.test:${port}`;
  expect(await ask(server.url, "/p", { host, headers })).toMatchObject({ status: 200 });
});

it("opens a path app for its owner, isolated", async () => {
  const answer = await ask(server.url, "/@admin/dev/apps/web/x/y?z", { headers: byCookie() });
  expect(answer).toMatchObject({ status: 200, text: "GET /x/y?z" });
  expect(answer.headers["content-security-policy"]).toMatch(/^sandbox /);
  const { client } = await addPerson(server, "pat");
  const other = await ask(server.url, "/@admin/dev/apps/open/", { headers: byCookie(client) });
  expect(other.status).toBe(404);
});
