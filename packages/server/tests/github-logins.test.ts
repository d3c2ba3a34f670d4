import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

import { type LocalServer, openLocalServer } from "@slipway/testkit";
import { WebBrowser } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";

/*
 * No GitHub can be run here. This stand-in answers the few requests of a login as GitHub's public documentation of OAuth apps
 * and of the REST API (version 2022-11-28) describes them.
 */

/** The account of whoever logs in at the stand-in. */
interface Account {
  id: number;
  login: string;
  emails: { email: string; primary: boolean; verified: boolean }[];
  organizations: { login: string; state: string }[];
  teams: string[];
}

const ada: Account = {
  id: 7,
  login: "ada",
  emails: [
    { email: "old@example.com", primary: false, verified: true },
    { email: "ada@example.com", primary: true, verified: true },
  ],
  organizations: [{ login: "Acme", state: "active" }],
  teams: [],
};

let account: Account;
let refusesCodes: boolean;
let server: OpenServer;
let github: LocalServer;
const opened = new AsyncDisposableStack();
/** The challenges and redirect addresses of the codes that were given. */
const codes = new Map<string, URLSearchParams>();

async function answer(request: IncomingMessage): Promise<{ location: string } | { json: unknown }> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://github");
  const { authorization } = request.headers;
  switch (pathname) {
    case "/login/oauth/authorize": {
      const code = `code-${codes.size}`;
      codes.set(code, searchParams);
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.search = new URLSearchParams({
        code,
        state: searchParams.get("state") ?? "",
      }).toString();
      return { location: back.href };
    }
    case "/login/oauth/access_token": {
      const form = new URLSearchParams(await text(request));
      const given = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const verifier = form.get("code_verifier") ?? "";
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const isRight =
        given?.get("code_challenge") === challenge && form.get("client_secret") === "the secret";
      return isRight && !refusesCodes
        ? { json: { access_token: "gho_token", token_type: "bearer", scope: "read:user" } }
        : { json: { error: "bad_verification_code", error_description: "<b>wrong</b>" } };
    }
    case "/api/v3/user":
      return {
        json: { id: account.id, login: account.login, name: "Ada L", email: "public@evil.com" },
      };
    case "/api/v3/user/emails":
      return { json: authorization === "Bearer gho_token" ? account.emails : [] };
    case "/api/v3/user/memberships/orgs":
      return {
        json: account.organizations.map(({ login, state }) => ({ state, organization: { login } })),
      };
    case "/api/v3/user/teams":
      return {
        json: account.teams.map((team) => {
          const [login = "", slug = ""] = team.split("/");
          return { slug, organization: { login } };
        }),
      };
    default:
      throw new Error(`unexpected request for ${pathname}`);
  }
}

beforeAll(async () => {
  github = opened.use(
    await openLocalServer(
      createServer((request, response) => {
        void answer(request).then((found) => {
          if ("location" in found) response.writeHead(302, { Location: found.location }).end();
          else response.writeHead(200).end(JSON.stringify(found.json));
        });
      }),
    ),
  );
  server = opened.use(
    await openServer(inject("postgresUrl"), {
      SLIPWAY_LOGIN_0_TYPE: "github",
      SLIPWAY_LOGIN_0_ISSUER: github.url,
      SLIPWAY_LOGIN_0_CLIENT_ID: "slipway",
      SLIPWAY_LOGIN_0_CLIENT_SECRET: "the secret",
      SLIPWAY_LOGIN_0_SIGNUPS: "open",
      SLIPWAY_LOGIN_0_ALLOWED_ORGANIZATIONS: "ACME",
      SLIPWAY_LOGIN_0_ALLOWED_TEAMS: "other/devs",
      SLIPWAY_LOGIN_0_ROLE_MAPPING: '{"acme/admins": "template-admin"}',
    }),
  );
});
beforeEach(() => {
  account = ada;
  refusesCodes = false;
});
afterAll(() => opened.disposeAsync());

/** Logs in, and resolves to the user or the reason of the refusal. */
async function logIn(): Promise<unknown> {
  const browser = new WebBrowser();
  const { url } = await browser.open(`${server.url}/login/with/github`);
  const error = new URL(url).searchParams.get("error");
  if (error !== null) return error;
  const token = browser.cookie(server.url, "coder_session_token") ?? "";
  const headers = { "Coder-Session-Token": token };
  return (await server.request("GET", "/users/me", undefined, { headers })).body;
}

it("logs in members of an allowed organization, by their ids", async () => {
  expect(await logIn()).toMatchObject({
    username: "ada",
    email: "ada@example.com",
    login_type: "github",
    roles: [],
  });
  account = { ...ada, login: "renamed", teams: ["Acme/Admins"] };
  expect(await logIn()).toMatchObject({ username: "ada", roles: [{ name: "template-admin" }] });
  account = { ...ada, id: 8, emails: [{ email: "b@example.com", primary: true, verified: true }] };
  expect(await logIn()).toMatchObject({ username: "ada-2", email: "b@example.com" });
});

it("logs in members of an allowed team", async () => {
  account = { ...ada, organizations: [], teams: ["Other/devs"] };
  expect(await logIn()).toMatchObject({ username: "ada" });
});

it.each<[string, Partial<Account>, string]>([
  [
    "is in no allowed organization",
    { organizations: [{ login: "evil", state: "active" }] },
    "organization",
  ],
  [
    "is only invited to it",
    { organizations: [{ login: "Acme", state: "pending" }] },
    "organization",
  ],
  [
    "is in another team",
    { organizations: [], teams: ["other/devs2", "evil/devs"] },
    "organization",
  ],
  [
    "has no verified primary address",
    { id: 9, emails: [{ email: "c@example.com", primary: true, verified: false }] },
    "email-unverified",
  ],
  [
    "has a verified address that is not primary",
    { id: 9, emails: [{ email: "admin@example.com", primary: false, verified: true }] },
    "email-unverified",
  ],
])("refuses a person who %s", async (_name, change, reason) => {
  account = { ...ada, ...change };
  expect(await logIn()).toBe(reason);
});

it("shows no text of GitHub if it refuses a code", async () => {
  refusesCodes = true;
  const page = await new WebBrowser().open(`${server.url}/login/with/github`);
  expect(page.text).toContain("GitHub did not confirm who you are.");
  expect(page.text).not.toContain("wrong");
});

it("tells stock clients of it", async () => {
  const answered = await server.request("GET", "/users/authmethods");
  expect(answered.body).toMatchObject({ github: { enabled: true }, oidc: { enabled: false } });
  const stock = `${server.url}/api/v2/users/oauth2/github/callback`;
  const { headers } = await fetch(stock, { redirect: "manual" });
  expect(headers.get("location")).toBe("/login/with/github");
});
