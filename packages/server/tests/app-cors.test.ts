import { listTemplates, updateTemplate } from "@slipway/api/templates/routes";
import type { CorsBehavior } from "@slipway/api/templates/template";
import { makeWorkspace, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type Answered, type AppServer, ask, type Asked, openApp } from "./support/app-world.ts";
import { appsTemplate } from "./support/apps-template.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/* Apps that decide which pages may read their responses, and templates that allow this. */

const opened = new AsyncDisposableStack();
const evil = "https://evil.test";
const preflight = { "Access-Control-Request-Method": "PUT" };
let server: OpenServer;
let app: AppServer;
let port = "";

beforeAll(async () => {
  app = opened.use(
    await openApp((request, response) => {
      response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
      response.setHeader("Access-Control-Allow-Credentials", "true");
      response.setHeader("Access-Control-Allow-Methods", "PUT, PATCH");
      response.setHeader("Vary", "X-Own");
      response.end(`${request.method} ${request.url}`);
    }),
  );
  const environment = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test", SLIPWAY_PATH_APPS: "shared" };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  ({ port } = new URL(server.url));
  const url = `http://localhost:${app.port}`;
  const template = appsTemplate("process", {
    web: `{ url: "${url}", subdomain: true }`,
    team: `{ url: "${url}", subdomain: true, share: authenticated }`,
    open: `{ url: "${url}", subdomain: true, share: public }`,
  });
  for (const name of ["simple", "passthru"]) {
    const id = await pushTemplate(server.admin, name, template);
    await makeWorkspace(server.admin, name, id, ({ status }) => status === "connected");
  }
  await decide("passthru");
});

afterAll(() => opened.disposeAsync());

async function decide(behavior: CorsBehavior): Promise<void> {
  const templates = await server.admin.call(listTemplates, {});
  const id = templates.find(({ name }) => name === "passthru")?.id ?? "";
  const body = { cors_behavior: behavior };
  const changed = await server.admin.call(updateTemplate, { params: { template: id }, body });
  expect(changed.cors_behavior).toBe(behavior);
}

function hostOf(name: string, workspace: string): string {
  return `${name}--${workspace}--admin.apps.test:${port}`;
}

async function askApp(host: string, asked: Asked = {}, client = server.admin): Promise<Answered> {
  const headers = { ...tokenOf(client), Origin: evil, ...asked.headers };
  return ask(server.url, "/x", { ...asked, host, headers });
}

function tokenOf({ headers }: { readonly headers: Readonly<Record<string, string>> }): {
  readonly "Coder-Session-Token": string;
} {
  return { "Coder-Session-Token": headers["Coder-Session-Token"] ?? "" };
}

/** Returns the headers of a response that control which pages may read it. */
function corsOf({ headers }: Answered): Readonly<Record<string, unknown>> {
  const fields = Object.entries(headers).filter(([name]) => name.startsWith("access-control-"));
  return Object.fromEntries(fields);
}

const ofApp = {
  "access-control-allow-origin": evil,
  "access-control-allow-credentials": "true",
  "access-control-allow-methods": "PUT, PATCH",
};

it("passes on the CORS fields of an app whose template says so, and adds none", async () => {
  for (const name of ["web", "team", "open", `${app.port}--main`]) {
    const answer = await askApp(hostOf(name, "passthru"));
    expect(answer.text).toBe("GET /x");
    expect(corsOf(answer)).toEqual(ofApp);
    expect(answer.headers.vary).toBe("X-Own");
  }
  const sibling = `http://${hostOf("team", "passthru")}`;
  const answer = await askApp(hostOf("web", "passthru"), { headers: { Origin: sibling } });
  expect(corsOf(answer)).toEqual({ ...ofApp, "access-control-allow-origin": sibling });
});

it("drops them for the apps of other templates", async () => {
  const answer = await askApp(hostOf("open", "simple"));
  expect(answer.text).toBe("GET /x");
  expect(corsOf(answer)).toEqual({});
});

it("keeps caches from giving the answer for one page to another that may read it", async () => {
  const origins = [`http://${hostOf("team", "simple")}`, evil, undefined];
  for (const Origin of origins) {
    const headers = { ...tokenOf(server.admin), ...(Origin === undefined ? {} : { Origin }) };
    const answer = await ask(server.url, "/x", { host: hostOf("web", "simple"), headers });
    expect(answer.headers.vary).toBe("X-Own, Origin");
  }
  const path = await ask(server.url, "/@admin/simple/apps/web/x", {
    headers: tokenOf(server.admin),
  });
  expect(path.headers.vary).toBe("X-Own");
});

it("lets a preflight reach an app that everyone may open, and answers it for others", async () => {
  const headers = { ...preflight, Origin: evil };
  const asked = { method: "OPTIONS", headers };
  const answer = await ask(server.url, "/x", { ...asked, host: hostOf("open", "passthru") });
  expect(answer).toMatchObject({ status: 200, text: "OPTIONS /x" });
  expect(corsOf(answer)).toEqual(ofApp);
  expect(app.requests.at(-1)?.headers).toMatchObject({
    "access-control-request-method": "PUT",
    origin: evil,
  });
  const seen = app.requests.length;
  const hosts = [
    ...["web", "team", "none", `${app.port}--main`].map((name) => hostOf(name, "passthru")),
    ...["web", "open"].map((name) => hostOf(name, "simple")),
    hostOf("web", "missing"),
  ];
  const answers = await Promise.all(hosts.map((host) => ask(server.url, "/x", { ...asked, host })));
  // They do not reveal which apps exist.
  for (const one of answers) {
    expect(one).toMatchObject({ status: 204, text: "" });
    expect(corsOf(one)).toEqual({});
    expect(one.headers).not.toHaveProperty("set-cookie");
  }
  expect(app.requests).toHaveLength(seen);
});

it("answers a preflight of another app of the same user for an app that only they may open", async () => {
  const headers = { ...preflight, Origin: `http://${hostOf("team", "passthru")}` };
  const asked = { method: "OPTIONS", host: hostOf("web", "passthru"), headers };
  expect(await ask(server.url, "/x", asked)).toMatchObject({
    status: 204,
    headers: { "access-control-allow-origin": headers.Origin },
  });
});

it("never lets an app speak for the server's own origin, or for another app", async () => {
  const { client } = await addPerson(server, "vic");
  for (const name of ["web", "open"]) {
    const path = `/@admin/passthru/apps/${name}/x`;
    const asked = { headers: { ...tokenOf(server.admin), Origin: evil } };
    const answer = await ask(server.url, path, asked);
    expect(answer).toMatchObject({ status: 200, text: "GET /x" });
    expect(corsOf(answer)).toEqual({});
    const headers = { ...preflight, Origin: evil };
    const asks = await ask(server.url, path, { method: "OPTIONS", headers });
    expect(asks).toMatchObject({ status: 204 });
    expect(corsOf(asks)).toEqual({});
  }
  // The server's own responses on an app's host carry no CORS headers, for any caller.
  for (const answer of [
    await askApp(hostOf("web", "passthru"), {}, client),
    await ask(server.url, "/x", { host: hostOf("web", "passthru"), headers: { Origin: evil } }),
    await ask(server.url, "/api/v2/users/me", { headers: { ...tokenOf(client), Origin: evil } }),
  ]) {
    expect(answer.text).not.toContain("GET /x");
    expect(corsOf(answer)).toEqual({});
  }
});

it("still refuses changes by pages of other sites with a viewer's cookie", async () => {
  const cookie = `coder_session_token=${tokenOf(server.admin)["Coder-Session-Token"]}`;
  const path = "/@admin/passthru/apps/team/x";
  const asked = { method: "POST", headers: { Cookie: cookie, Origin: evil } };
  expect(await ask(server.url, path, asked)).toMatchObject({ status: 403 });
});

it("follows a change of the template", async () => {
  await decide("simple");
  expect(corsOf(await askApp(hostOf("open", "passthru")))).toEqual({});
  await decide("passthru");
  expect(corsOf(await askApp(hostOf("open", "passthru")))).toEqual(ofApp);
});
