import { testAdmin } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { ask, CookieJar } from "./support/app-world.ts";
import { type AppsSite, openAppsSite, tokenOf } from "./support/apps-site.ts";
import { addPerson } from "./support/people.ts";

/* Logins to apps on their own hosts, and the tokens that cache them. */

let site: AppsSite;
beforeAll(async () => {
  site = await openAppsSite(inject("postgresUrl"));
});
afterAll(() => site[Symbol.asyncDispose]());

const html = { Accept: "text/html" };

describe("a login at the host of an app", () => {
  /** Opens an app in a browser that is logged in to the server; resolves to its cookies there. */
  async function logIn(name: string, client = site.server.admin): Promise<CookieJar> {
    const jar = new CookieJar();
    const host = site.hostOf(name);
    const first = jar.note(host, await site.askApp(name, "/", { headers: html }));
    const redirect = new URL(first.headers.location ?? "");
    const path = `${redirect.pathname}${redirect.search}`;
    const back = await ask(site.server.url, path, { headers: site.byCookie(client) });
    const target = new URL(back.headers.location ?? "");
    const headers = { ...html, Cookie: jar.of(host) };
    const code = `${target.pathname}${target.search}`;
    jar.note(host, await site.askApp(name, code, { headers }));
    return jar;
  }

  it("opens that app, and nothing of the server", async () => {
    const jar = await logIn("web");
    const cookie = jar.of(site.hostOf("web"));
    expect(await site.askApp("web", "/", { headers: { Cookie: cookie } })).toMatchObject({
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
      const answer = await ask(site.server.url, "/api/v2/users/me", { headers });
      expect(answer.status).toBe(401);
    }
    // On the app's host, even the server's own cookie reaches only the app.
    const seen = site.app.requests.length;
    await site.askApp("web", "/api/v2/users/me", { headers: { Cookie: cookie } });
    expect(site.app.requests.slice(seen)).toMatchObject([{ url: "/api/v2/users/me" }]);
  });

  it("opens no other app, and counts for nobody with the server's cookie alone", async () => {
    const jar = await logIn("web");
    const headers = { ...html, Cookie: jar.of(site.hostOf("web")) };
    expect(await site.askApp("inner", "/", { headers })).toMatchObject({ status: 303 });
    expect(
      await site.askApp("web", "/", { headers: { ...html, ...site.byCookie() } }),
    ).toMatchObject({
      status: 303,
    });
  });

  it("ends with its session", async () => {
    const { client } = await addPerson(site.server, "lou");
    const jar = await logIn("team", client);
    const host = site.hostOf("team");
    const headers = { Cookie: jar.of(host) };
    const answer = jar.note(host, await ask(site.server.url, "/", { host, headers }));
    expect(answer.status).toBe(200);
    await site.server.request("POST", "/users/logout", undefined, client);
    const session = jar
      .of(host)
      .split("; ")
      .filter((pair) => pair.startsWith("coder_subdomain"))
      .join("; ");
    expect(await ask(site.server.url, "/", { host, headers: { Cookie: session } })).toMatchObject({
      status: 401,
    });
  });

  it("takes a code once, from the browser that began, at the host that began", async () => {
    const host = site.hostOf("web");
    const jar = new CookieJar();
    const first = jar.note(host, await site.askApp("web", "/", { headers: html }));
    const redirect = new URL(first.headers.location ?? "");
    const back = await ask(site.server.url, `${redirect.pathname}${redirect.search}`, {
      headers: site.byCookie(),
    });
    const target = new URL(back.headers.location ?? "");
    const code = `${target.pathname}${target.search}`;
    expect(await site.askApp("web", code, { headers: html })).toMatchObject({ status: 400 });
    const cookie = jar.of(host);
    const elsewhere = await site.askApp("inner", code, { headers: { ...html, Cookie: cookie } });
    expect(elsewhere.status).toBe(400);
    const right = { ...html, Cookie: cookie };
    const done = jar.note(host, await site.askApp("web", code, { headers: right }));
    expect(done.status).toBe(303);
    expect(
      await site.askApp("web", code, { headers: { ...html, Cookie: jar.of(host) } }),
    ).toMatchObject({
      status: 303,
      headers: { location: `http://${host}/` },
    });
    const session = jar.of(host);
    expect(session).not.toContain("slipway_app_login");
    expect(site.app.requests.every(({ url }) => !url.includes("coder_application_connect"))).toBe(
      true,
    );
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
    const withPort = uri.replace(
      "apps.test/",
      `apps.test:${uri.includes("user") ? site.port : "80"}/`,
    );
    for (const one of [uri, withPort]) {
      const query = new URLSearchParams({ redirect_uri: one, state: "x" }).toString();
      const path = `/api/v2/applications/auth-redirect?${query}`;
      expect(await ask(site.server.url, path, { headers: site.byCookie() })).toMatchObject({
        status: 400,
      });
    }
  });

  it("gives no code to a browser that did not begin there, or to a program", async () => {
    const uri = `http://${site.hostOf("web")}/x?y#z`;
    const query = new URLSearchParams({ redirect_uri: uri }).toString();
    const path = `/api/v2/applications/auth-redirect?${query}`;
    expect(await ask(site.server.url, path, { headers: site.byCookie() })).toMatchObject({
      status: 303,
      headers: { location: `http://${site.hostOf("web")}/x?y` },
    });
    const headers = { "Coder-Session-Token": tokenOf(site.server.admin) };
    const answer = await ask(site.server.url, path, { headers });
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
    const form = await ask(site.server.url, page);
    const formToken = /name="form_token" value="([^"]+)"/.exec(form.text)?.[1] ?? "";
    const { email, password } = testAdmin;
    const sent = await ask(site.server.url, page, {
      method: "POST",
      headers: { Cookie: `slipway_form=${formToken}` },
      body: new URLSearchParams({ form_token: formToken, email, password }).toString(),
    });
    expect(sent.status).toBe(200);
    expect(sent.headers["refresh"]).toBe(`0; url=${path}`);
    const [cookie = ""] = sent.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^coder_session_token=[^;]+; .*HttpOnly; SameSite=Lax/);
    const [session = ""] = cookie.split(";");
    const me = await ask(site.server.url, "/api/v2/users/me", { headers: { Cookie: session } });
    expect(me.status).toBe(200);
  });
});

describe("a signed token of an app", () => {
  /** Opens an app with a token in the header; resolves to the cookie that caches the decision. */
  async function remember(name: string, client = site.server.admin): Promise<string> {
    const headers = { "Coder-Session-Token": tokenOf(client) };
    const answer = await site.askApp(name, "/", { headers });
    const cookies = answer.headers["set-cookie"] ?? [];
    const cookie = cookies.find((one) => one.startsWith("coder_signed_app_token=")) ?? "";
    expect(cookie).toMatch(/Max-Age=60; Path=\/; HttpOnly; SameSite=Lax/);
    return cookie.split(";")[0] ?? "";
  }

  it("counts with the credential that it was issued to, and with no other", async () => {
    const cookie = await remember("web");
    const own = { Cookie: cookie, "Coder-Session-Token": tokenOf(site.server.admin) };
    const answer = await site.askApp("web", "/", { headers: own });
    expect(answer.status).toBe(200);
    // No new decision was made.
    expect(answer.headers["set-cookie"]?.join()).not.toContain("coder_signed_app_token");
    expect(await site.askApp("web", "/", { headers: { Cookie: cookie } })).toMatchObject({
      status: 401,
    });
    const { client } = await addPerson(site.server, "eve");
    const stolen = { Cookie: cookie, "Coder-Session-Token": tokenOf(client) };
    expect(await site.askApp("web", "/", { headers: stolen })).toMatchObject({ status: 404 });
  });

  it("counts for the app that it was issued for, and for no other", async () => {
    const { client } = await addPerson(site.server, "mal");
    const cookie = await remember("team", client);
    const headers = { Cookie: cookie, "Coder-Session-Token": tokenOf(client) };
    expect(await site.askApp("web", "/", { headers })).toMatchObject({ status: 404 });
    const path = await ask(site.server.url, "/@admin/dev/apps/team/", { headers });
    expect(path.status).toBe(404);
  });

  it("counts for its app at the server's own origin, and for no other there", async () => {
    const headers = { "Coder-Session-Token": tokenOf(site.server.admin) };
    const first = await ask(site.server.url, "/@admin/dev/apps/web/", { headers });
    const [cookie = ""] = first.headers["set-cookie"]?.join("\n").match(/coder_signed[^;]+/) ?? [];
    const remembered = { ...headers, Cookie: cookie };
    const own = await ask(site.server.url, "/@admin/dev/apps/web/x", { headers: remembered });
    expect(own.headers["set-cookie"]?.join()).not.toContain("coder_signed_app_token");
    const other = await ask(site.server.url, "/@admin/dev/apps/inner/x", { headers: remembered });
    expect(other.text).toBe("GET /inner/x");
  });

  it("of anybody for a public app opens no other", async () => {
    const answer = await site.askApp("open", "/");
    expect(answer.status).toBe(200);
    const [cookie = ""] = (answer.headers["set-cookie"] ?? []).slice(-1);
    const headers = { Cookie: cookie.split(";")[0] ?? "" };
    expect(await site.askApp("open", "/", { headers })).toMatchObject({ status: 200 });
    expect(await site.askApp("web", "/", { headers })).toMatchObject({ status: 401 });
  });

  it.each(["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", ".".repeat(5_000)])(
    "that is forged counts for nothing: %s",
    async (value) => {
      const headers = { Cookie: `coder_signed_app_token=${value}` };
      expect(await site.askApp("web", "/", { headers })).toMatchObject({ status: 401 });
    },
  );
});
