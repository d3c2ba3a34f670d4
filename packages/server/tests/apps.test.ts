import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createFakeClock } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { LiveAgents } from "../src/gateway/apps/app-grants.ts";
import { type Answered, ask, CookieJar } from "./support/app-world.ts";
import { type AppsSite, openAppsSite, tokenOf } from "./support/apps-site.ts";
import { addPerson } from "./support/people.ts";

/* Apps of a workspace with our agent, through the server's own peer. */

let site: AppsSite;
beforeAll(async () => {
  site = await openAppsSite(inject("postgresUrl"));
});
afterAll(() => site[Symbol.asyncDispose]());

const html = { Accept: "text/html" };

describe("an app at a host of its own", () => {
  it("is opened by its owner, who logs in at the server", async () => {
    const jar = new CookieJar();
    const host = site.hostOf("web");
    const go = async (path: string): Promise<Answered> => {
      const headers = { ...html, Cookie: jar.of(host) };
      return jar.note(host, await ask(site.server.url, path, { host, headers }));
    };
    const first = await go("/page?a=b");
    expect(first.status).toBe(303);
    const redirect = new URL(first.headers.location ?? "");
    expect(redirect.origin).toBe(site.server.url);
    const path = `${redirect.pathname}${redirect.search}`;
    const logIn = await ask(site.server.url, path, { headers: html });
    expect(logIn.status).toBe(303);
    expect(logIn.headers.location).toBe(
      `/login?${new URLSearchParams({ redirect: path }).toString()}`,
    );
    const back = await ask(site.server.url, path, { headers: site.byCookie() });
    expect(back.status).toBe(303);
    const target = new URL(back.headers.location ?? "");
    expect(target.host).toBe(host);
    const set = await go(`${target.pathname}${target.search}`);
    expect(set).toMatchObject({ status: 303, headers: { location: `http://${host}/page?a=b` } });
    const page = await go("/page?a=b");
    expect(page).toMatchObject({ status: 200, text: "GET /page?a=b" });
    expect(site.app.requests.at(-1)?.headers.cookie).toBeUndefined();
  });

  it("is opened with a session token in the header, which the app does not see", async () => {
    const headers = { "Coder-Session-Token": tokenOf(site.server.admin), "X-Own": "kept" };
    const answer = await site.askApp("web", "/x", { headers });
    expect(answer).toMatchObject({ status: 200, text: "GET /x" });
    const seen = site.app.requests.at(-1)?.headers;
    expect(seen).toMatchObject({
      "x-own": "kept",
      host: site.hostOf("web"),
      "x-forwarded-proto": "http",
    });
    expect(seen).not.toHaveProperty("coder-session-token");
    const cookies = answer.headers["set-cookie"] ?? [];
    expect(cookies[0]).toBe("own=1; Path=/");
    expect(cookies[1]).toMatch(/^coder_signed_app_token=/);
    expect(cookies).toHaveLength(2);
  });
});

describe("pages of other sites", () => {
  const evil = { Origin: "https://evil.test" };

  it("change nothing with the cookie of a viewer, and open no WebSocket", async () => {
    const cookie = site.byCookie();
    const path = "/@admin/dev/apps/web/";
    for (const headers of [evil, { Origin: "null" }]) {
      const asked = { method: "POST", headers: { ...cookie, ...headers } };
      expect(await ask(site.server.url, path, asked)).toMatchObject({ status: 403 });
    }
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const refused = await ask(site.server.url, path, {
      headers: { ...cookie, ...evil, ...upgrade },
    });
    expect(refused.status).toBe(403);
    const own = { ...cookie, Origin: site.server.url };
    expect(await ask(site.server.url, path, { method: "POST", headers: own })).toMatchObject({
      status: 200,
    });
  });

  it("are told that they may read nothing, but other apps of the user may", async () => {
    const preflight = {
      "Access-Control-Request-Method": "PUT",
      Origin: `http://${site.hostOf("team")}`,
    };
    const seen = site.app.requests.length;
    expect(await site.askApp("web", "/", { method: "OPTIONS", headers: preflight })).toMatchObject({
      status: 204,
      headers: {
        "access-control-allow-origin": `http://${site.hostOf("team")}`,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
      },
    });
    const other = await site.askApp("web", "/", {
      method: "OPTIONS",
      headers: { ...preflight, ...evil },
    });
    expect(other.status).toBe(204);
    expect(other.headers).not.toHaveProperty("access-control-allow-origin");
    expect(site.app.requests).toHaveLength(seen);
  });
});

describe("an app's address", () => {
  const headers = (): Record<string, string> => ({
    "Coder-Session-Token": tokenOf(site.server.admin),
  });

  it("of a path ends with a slash", async () => {
    expect(
      await ask(site.server.url, "/@admin/dev/apps/web?a=b", { headers: headers() }),
    ).toMatchObject({
      status: 307,
      headers: { location: `${site.server.url}/@admin/dev/apps/web/?a=b` },
    });
  });

  it("gets the query of the app's URL, below the path of that", async () => {
    expect(await site.askApp("inner", "/", { headers: headers() })).toMatchObject({
      status: 307,
      headers: { location: `http://${site.hostOf("inner")}/?theme=dark` },
    });
    expect(await site.askApp("inner", "/a?b=c", { headers: headers() })).toMatchObject({
      text: "GET /inner/a?b=c",
    });
  });

  it("is passed on as it is spelled", async () => {
    const path = "/a%2Fb//../c?x=%20&coder_session_token=secret&y";
    expect(await site.askApp("web", path, { headers: headers() })).toMatchObject({
      text: "GET /a%2Fb//../c?x=%20&y",
    });
  });

  it("is one with its host, whatever the Host header says", async () => {
    const path = `http://${site.hostOf("web")}/x`;
    const answer = await ask(site.server.url, path, { headers: headers() });
    expect(answer).toMatchObject({ text: "GET /x" });
    expect(site.app.requests.at(-1)?.headers).toMatchObject({ host: site.hostOf("web") });
  });

  it.each(["x", "8080--dev--admin", "web--dev--admin--a--b"])(
    "of the host %s is refused",
    async (name) => {
      const host = `${name}.apps.test:${site.port}`;
      const answer = await ask(site.server.url, "/api/v2/buildinfo", { host, headers: html });
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
    expect(await ask(site.server.url, path, { headers: headers() })).toMatchObject({ status: 404 });
  });
});

it("shows what others wrote as text", async () => {
  const answer = await site.askApp("web", "/", {
    headers: { ...html, "Coder-Session-Token": "<script>alert(1)</script>" },
  });
  expect(answer.text).not.toContain("<script>");
  const page = await ask(site.server.url, "/login?redirect=%22%3E%3Cscript%3E");
  expect(page.text).not.toContain("<script>");
});

it("opens a path app for its owner, isolated", async () => {
  const answer = await ask(site.server.url, "/@admin/dev/apps/web/x/y?z", {
    headers: site.byCookie(),
  });
  expect(answer).toMatchObject({ status: 200, text: "GET /x/y?z" });
  expect(answer.headers["content-security-policy"]).toMatch(/^sandbox /);
  const { client } = await addPerson(site.server, "pat");
  const other = await ask(site.server.url, "/@admin/dev/apps/open/", {
    headers: site.byCookie(client),
  });
  expect(other.status).toBe(404);
});

it("forgets a decision about an agent that is no longer there", async () => {
  const clock = createFakeClock();
  const agents = new LiveAgents({ db: site.server.db, clock });
  const { id, latest_build } = await site.workspace();
  const [agent] = latest_build.resources.flatMap((resource) => resource.agents ?? []);
  expect(agent).toBeDefined();
  const isLive = async (): Promise<boolean> => agents.isLive(agent?.id ?? "");
  expect(await isLive()).toBe(true);
  await site.server.admin.call(createBuild, {
    params: { workspace: id },
    body: { transition: "start" },
  });
  expect(await isLive()).toBe(true);
  await clock.advance(1_000);
  expect(await isLive()).toBe(false);
  await expect
    .poll(async () => (await site.workspace()).latest_build.job.status, { timeout: 20_000 })
    .toBe("succeeded");
});

it("says so when the workspace is stopped, to those who may know", async () => {
  const headers = { "Coder-Session-Token": tokenOf(site.server.admin) };
  const { id } = await site.workspace();
  await site.server.admin.call(createBuild, {
    params: { workspace: id },
    body: { transition: "stop" },
  });
  await expect
    .poll(async () => (await site.askApp("web", "/", { headers })).status, { timeout: 20_000 })
    .toBe(400);
  expect((await site.askApp("web", "/", { headers: { ...headers, ...html } })).text).toContain(
    "Workspace is not running",
  );
  const { client } = await addPerson(site.server, "zoe");
  const other = { "Coder-Session-Token": tokenOf(client) };
  expect(await site.askApp("web", "/", { headers: other })).toMatchObject({ status: 404 });
  // A missing app does not reveal its level.
  expect(await site.askApp("open", "/", { headers: other })).toMatchObject({ status: 404 });
});
