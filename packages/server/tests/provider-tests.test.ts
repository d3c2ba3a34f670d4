import { WebBrowser } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, expect, it } from "vitest";

import { logInAtAcme, type LogInWorld, openLogInWorld } from "./support/login-world.ts";
import type { Answer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

let world: LogInWorld;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  world = opened.use(
    await openLogInWorld({ ALLOWED_DOMAINS: "example.com", ROLE_MAPPING: '{"dev": "auditor"}' }),
  );
});
afterAll(() => opened.disposeAsync());

const path = "/login-providers/acme/test-logins";
const begin = async (): Promise<string> => {
  const { status, body } = await world.server.request("POST", path);
  expect(status).toBe(201);
  const { id, login_url: url } = Object(body);
  expect(url).toBe(`/login/with/acme?test=${String(id)}`);
  return String(id);
};
const take = (id: string): Promise<Answer> =>
  world.server.request("POST", `${path}/result`, { id });

/** Logs in for a test, and resolves to the text of the last page. */
async function logInFor(id: string, login: string, browser = new WebBrowser()): Promise<string> {
  const { text } = await logInAtAcme(world.server, browser, login, { query: { test: id } });
  expect(await world.whoIs(browser)).toBe(401);
  return text;
}

async function countOf(table: "users" | "api_keys" | "user_identities"): Promise<number> {
  const rows = await world.server.db.selectFrom(table).select("created_at").execute();
  return rows.length;
}

const counts = () => Promise.all((["users", "api_keys", "user_identities"] as const).map(countOf));

it("a test by a login tells the claims and roles, and creates nothing", async () => {
  world.addPerson("ada", { groups: ["dev"] });
  const before = await counts();
  const id = await begin();
  expect(await take(id)).toMatchObject({ body: { detail: "authorization_pending" } });
  expect(await logInFor(id, "ada")).toContain("is with the command that asked for it");
  expect(await take(id)).toMatchObject({
    status: 200,
    body: {
      outcome: "allowed",
      roles: ["auditor"],
      subject: "ada",
      claims: { email: "ada@example.com", groups: ["dev"] },
    },
  });
  expect(await take(id)).toMatchObject({ status: 400, body: { detail: "expired_token" } });
  expect(await counts()).toEqual(before);
});

it("a test tells a refusal by the rules, and by the person", async () => {
  world.addPerson("bob", { email: "bob@elsewhere.example" });
  const first = await begin();
  await logInFor(first, "bob");
  expect(await take(first)).toMatchObject({ body: { outcome: "refused", reason: "domain" } });
  const second = await begin();
  const browser = new WebBrowser();
  const form = await browser.open(`${world.server.url}/login/with/acme?test=${second}`);
  const cancel = /href="([^"]*\/abort)"/.exec(form.text)?.[1] ?? "";
  await browser.open(new URL(cancel, form.url).href);
  expect(await take(second)).toMatchObject({
    body: { outcome: "refused", reason: "denied", claims: {} },
  });
});

it("a test asks again who the person is, although they are logged in at the provider", async () => {
  world.addPerson("cid");
  const browser = new WebBrowser();
  await logInAtAcme(world.server, browser, "cid");
  const id = await begin();
  const address = `${world.server.url}/login/with/acme`;
  const isCallback = (url: URL): boolean => url.pathname.endsWith("/callback");
  const silent = await browser.open(address, isCallback);
  expect(silent.text).not.toContain('value="login"');
  const form = await browser.open(`${address}?test=${id}`);
  expect(form.text).toContain('value="login"');
  await browser.submit(form, { login: "cid", password: "any" });
  expect(await take(id)).toMatchObject({ body: { subject: "cid" } });
  // The session that the browser has stays as it is.
  expect(await world.whoIs(browser)).toBe("cid");
});

it("a test takes one login, in its time, and the last one of an owner counts", async () => {
  world.addPerson("eve");
  const replaced = await begin();
  const id = await begin();
  expect((await take(replaced)).body).toMatchObject({ detail: "expired_token" });
  const isCallback = (url: URL): boolean => url.pathname === "/login/with/acme/callback";
  const begun = await Promise.all(
    [1, 2].map(async () => {
      const browser = new WebBrowser();
      const options = { query: { test: id }, stopsAt: isCallback };
      return { browser, url: (await logInAtAcme(world.server, browser, "eve", options)).url };
    }),
  );
  const pages = await Promise.all(begun.map(({ browser, url }) => browser.open(url)));
  expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410]);
  for (const other of [id, replaced, "", "x".repeat(5_000)]) {
    expect(await logInFor(other, "eve")).toContain("This login has expired");
  }
  const old = await begin();
  await world.server.db
    .updateTable("login_tests")
    .set({ created_at: new Date(Date.now() - 901_000).toISOString() })
    .execute();
  expect(await logInFor(old, "eve")).toContain("This login has expired");
  expect((await take(old)).body).toMatchObject({ detail: "expired_token" });
});

it("a test is begun and read by owners alone, each their own", async () => {
  const { client: admin } = await addPerson(world.server, "ulf", ["user-admin"]);
  const { client: owner } = await addPerson(world.server, "olga", ["owner"]);
  expect((await world.server.request("POST", path, undefined, admin)).status).toBe(404);
  world.addPerson("fay");
  const id = await begin();
  await logInFor(id, "fay");
  const result = `${path}/result`;
  expect((await world.server.request("POST", result, { id }, admin)).status).toBe(404);
  expect((await world.server.request("POST", result, { id }, owner)).status).toBe(400);
  const rows = await world.server.db.selectFrom("login_tests").select("result_encrypted").execute();
  const sealed = rows.map((row) => row.result_encrypted?.toString("latin1") ?? "");
  expect(sealed.some((text) => text.includes("fay"))).toBe(false);
  expect((await take(id)).status).toBe(200);
});
