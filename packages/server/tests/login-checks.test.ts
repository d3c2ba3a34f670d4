import { silentLogger, systemClock } from "@slipway/runtime";
import { oidcClient, WebBrowser } from "@slipway/testkit/oauth";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  claimChecks,
  endChecks,
  postponeCheck,
  storeChecked,
} from "../src/features/logins/check-queries.ts";
import { checkDue } from "../src/features/logins/check-service.ts";
import { LogInProviders } from "../src/features/logins/providers.ts";
import { SecretBox } from "../src/platform/auth/secret-box.ts";
import { readSettings } from "../src/platform/config/settings.ts";
import { logInAtAcme, type LogInWorld, openLogInWorld } from "./support/login-world.ts";

let world: LogInWorld;
const opened = new AsyncDisposableStack();
const secretKey = "a secret key of the server in this test";

beforeAll(async () => {
  world = opened.use(
    await openLogInWorld(
      {
        SCOPES: "openid profile email offline_access",
        LOGOUT: "true",
        ROLE_MAPPING: '{"admins": "owner", "dev": "auditor"}',
      },
      { SLIPWAY_SECRET_KEY: secretKey },
    ),
  );
});
beforeEach(() => {
  world.peer.outage = undefined;
  world.peer.grants.length = 0;
});
afterAll(() => opened.disposeAsync());

async function logIn(login: string): Promise<WebBrowser> {
  world.addPerson(login);
  const browser = new WebBrowser();
  await logInAtAcme(world.server, browser, login);
  expect(await world.whoIs(browser)).toBe(login);
  return browser;
}

/** Returns a round of checks, as another replica does them. */
function replica(): () => Promise<number> {
  const settings = readSettings(
    {
      SLIPWAY_LOGIN_0_ID: "acme",
      SLIPWAY_LOGIN_0_ISSUER: world.peer.url,
      SLIPWAY_LOGIN_0_CLIENT_ID: oidcClient.id,
      SLIPWAY_LOGIN_0_CLIENT_SECRET: oidcClient.secret,
    },
    false,
  );
  const clock = systemClock;
  return () =>
    checkDue({
      db: world.server.db,
      clock,
      logger: silentLogger,
      secrets: new SecretBox([secretKey]),
      providers: new LogInProviders(settings.logInProviders, { clock }),
    });
}

/** Lets time pass until all are due. */
async function wait(): Promise<void> {
  const old = { checked_at: new Date(Date.now() - 3_700_000).toISOString(), checking_until: null };
  await world.server.db.updateTable("user_identities").set(old).execute();
}

describe("the check of a login", () => {
  it("refreshes the tokens once, on however many replicas, and again after an hour", async () => {
    const browser = await logIn("ada");
    world.peer.grants.length = 0;
    expect(await replica()()).toBe(0);
    for (let round = 0; round < 3; round += 1) {
      await wait();
      const counts = await Promise.all([replica()(), replica()(), replica()()]);
      expect(counts.reduce((sum, count) => sum + count)).toBe(1);
      expect(await replica()()).toBe(0);
    }
    // A rotated token that is used again is refused, and ends all of its grant.
    expect(world.peer.grants).toEqual(Array(3).fill("refresh_token ok"));
    expect(await world.whoIs(browser)).toBe("ada");
  });

  it("ends the sessions of a person whom the provider no longer admits, and no tokens", async () => {
    const browser = await logIn("bob");
    const headers = {
      "Coder-Session-Token": browser.cookie(world.server.url, "coder_session_token") ?? "",
    };
    const made = await world.server.request("POST", "/users/me/keys/tokens", {}, { headers });
    await world.peer.revokeAll("bob");
    await wait();
    await replica()();
    expect(await world.whoIs(browser)).toBe(401);
    const ended = await world.server.request("GET", "/audit?q=username:bob+action:delete");
    expect(ended.body).toMatchObject({
      audit_logs: [{ resource_type: "api_key", additional_fields: { login_provider: "acme" } }],
    });
    const token = { headers: { "Coder-Session-Token": String(Object(made.body).key) } };
    expect((await world.server.request("GET", "/users/me", undefined, token)).status).toBe(200);
    const again = await logIn("bob");
    await wait();
    await replica()();
    expect(await world.whoIs(again)).toBe("bob");
  });

  it("ends nothing while the provider does not answer", async () => {
    const browser = await logIn("cid");
    world.peer.outage = 503;
    await wait();
    await replica()();
    expect(await world.whoIs(browser)).toBe("cid");
    expect(await replica()()).toBe(0);
    world.peer.outage = undefined;
    // It is asked again after five minutes.
    await sql`update user_identities
      set checking_until = checking_until - interval '301 seconds'`.execute(world.server.db);
    await replica()();
    expect(
      world.peer.grants.filter((grant) => grant === "refresh_token ok").length,
    ).toBeGreaterThan(0);
  });

  it("leaves what a login has stored meanwhile", async () => {
    const { db } = world.server;
    await logIn("hal");
    await wait();
    const limits = { afterMs: 3_600_000, leaseMs: 60_000, limit: 100 };
    const claim = () => claimChecks(db, { providerIds: ["acme"], ...limits });
    const stored = async () =>
      db
        .selectFrom("user_identities")
        .where("subject", "=", "hal")
        .select(["id", "version", "details_encrypted", "is_checkable", "checking_until"])
        .executeTakeFirstOrThrow();
    const { id, version } = await stored();
    expect((await claim()).map((due) => due.id)).toContain(id);
    expect(await claim()).toEqual([]);
    await logIn("hal");
    const after = await stored();
    expect(after).toMatchObject({ is_checkable: true, checking_until: null });
    expect(await storeChecked(db, { id, version }, Buffer.from("old"))).toBe(false);
    await postponeCheck(db, { id, version }, 60_000);
    expect(await endChecks(db, { id, version })).toBe(false);
    expect(await stored()).toEqual(after);
    expect(await endChecks(db, after)).toBe(true);
    await logIn("hal");
    expect(await stored()).toMatchObject({ is_checkable: true });
  });

  it("has nothing left of a person whose account is deleted", async () => {
    await logIn("ian");
    const { body } = await world.server.request("GET", "/users/ian");
    const identities = world.server.db
      .selectFrom("user_identities")
      .where("user_id", "=", String(Object(body).id))
      .select("subject");
    expect(await identities.execute()).toEqual([{ subject: "ian" }]);
    await world.server.request("DELETE", "/users/ian");
    expect(await identities.execute()).toEqual([]);
  });

  it("leaves people without sessions alone", async () => {
    const browser = await logIn("dot");
    await world.server.request("DELETE", "/users/dot/sessions");
    await world.server.db.deleteFrom("api_keys").where("login_type", "=", "oidc").execute();
    await wait();
    expect(await replica()()).toBe(0);
    expect(await world.whoIs(browser)).toBe(401);
  });

  it("keeps tokens and claims encrypted", async () => {
    await logIn("eve");
    const rows = await world.server.db
      .selectFrom("user_identities")
      .select("details_encrypted")
      .execute();
    for (const { details_encrypted: sealed } of rows) {
      expect(sealed.toString("latin1")).not.toContain("Token");
    }
  });
});

it("leads a browser to the log-out of the provider, and back", async () => {
  const browser = await logIn("fay");
  const token = browser.cookie(world.server.url, "coder_session_token") ?? "";
  const headers = { "Coder-Session-Token": token };
  const answer = await world.server.request("POST", "/users/logout", undefined, { headers });
  const { provider_logout_url: url } = Object(answer.body);
  expect(String(url)).toContain(`${world.peer.url}/session/end?`);
  const form = await browser.open(String(url));
  const page = await browser.submit(form, { logout: "yes" });
  expect(new URL(page.url)).toMatchObject({ origin: world.server.url, pathname: "/login" });
  const next = await browser.open(`${world.server.url}/login/with/acme`);
  expect(next.text).toContain('value="login"');
});

describe("the test of a provider", () => {
  const test = (body: object) => world.server.request("POST", "/login-providers/acme/test", body);

  it("tells what the rules make of claims", async () => {
    const claims = {
      sub: "1",
      email: "a@example.com",
      groups: ["dev", "x"],
      preferred_username: "A b",
    };
    expect(await test({ claims })).toMatchObject({
      status: 200,
      body: {
        outcome: "allowed",
        username: "A-b",
        email_verified: false,
        groups: ["dev", "x"],
        roles: ["auditor"],
        claims,
      },
    });
    expect((await test({ claims: {} })).status).toBe(400);
  });

  it("reads those of a user's last login", async () => {
    await logIn("gil");
    expect(await test({ user: "gil" })).toMatchObject({
      body: { subject: "gil", email: "gil@example.com", roles: [] },
    });
    expect((await test({})).status).toBe(400);
  });
});
