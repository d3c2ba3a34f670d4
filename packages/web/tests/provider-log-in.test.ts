import { createDeviceLogin, redeemDeviceLogin } from "@slipway/api/users/device-routes";
import { listUsers, suspendUser } from "@slipway/api/users/routes";
import { ApiClient } from "@slipway/sdk/http";
import { freshName } from "@slipway/testkit";
import { oidcClient, type OidcPeer, openOAuthServer, openOidcPeer } from "@slipway/testkit/oauth";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { type Dashboard, expectSound, openDashboard, type UserPage } from "./support/dashboard.ts";

/* Log-in at an OpenID provider, with the provider's own pages, and of programs by a code. */

const opened = new AsyncDisposableStack();
let peer: OidcPeer;
let dashboard: Dashboard;

beforeAll(async () => {
  peer = opened.use(await openOidcPeer());
  const git = opened.use(await openOAuthServer());
  dashboard = opened.use(
    await openDashboard({
      environment: {
        SLIPWAY_LOGIN_0_ID: "acme",
        SLIPWAY_LOGIN_0_ISSUER: peer.url,
        SLIPWAY_LOGIN_0_CLIENT_ID: oidcClient.id,
        SLIPWAY_LOGIN_0_CLIENT_SECRET: oidcClient.secret,
        SLIPWAY_LOGIN_0_DISPLAY_NAME: "Acme <b>Inc.</b>",
        SLIPWAY_LOGIN_0_SIGNUPS: "open",
        SLIPWAY_LOGIN_0_ALLOWED_DOMAINS: "example.com",
        SLIPWAY_LOGIN_0_ROLE_MAPPING: '{"auditors": "auditor"}',
        ...git.settings(0, "git"),
      },
    }),
  );
  peer.serve({ redirectUris: [`${dashboard.server.url}/login/with/acme/callback`] });
});
afterAll(() => opened.disposeAsync());

function addPerson(login: string, claims: Readonly<Record<string, unknown>>): void {
  peer.people.set(login, {
    email: `${login}@example.com`,
    email_verified: true,
    preferred_username: login,
    ...claims,
  });
}

/** Follows the button of the log-in page, and answers the provider's pages. */
async function logInAtProvider(page: Page, login: string): Promise<void> {
  await page.getByRole("link", { name: "Log in with Acme <b>Inc.</b>" }).click();
  await answerProvider(page, login);
}

async function answerProvider(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(login);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

describe("a person at a provider", () => {
  it("logs in, comes back to the page that was asked for, and has the role of a claim", async () => {
    const login = freshName("ann");
    addPerson(login, { groups: ["auditors"] });
    const { page } = await dashboard.openPage();
    await page.goto("/design");
    await page.getByRole("link", { name: /^Log in with/ }).waitFor();
    await logInAtProvider(page, login);
    await page.waitForURL("**/design");
    await page.getByRole("heading", { name: "Design system" }).waitFor();
    const { users } = await dashboard.admin.call(listUsers, { query: { q: login } });
    expect(users.map(({ roles }) => roles.map(({ name }) => name))).toEqual([["auditor"]]);
    const [ann] = users;
    await dashboard.admin.call(suspendUser, { params: { user: ann?.id ?? "" } });
    await page.reload();
    await page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();
  });

  it("goes on in a page whose session has ended, after a log-in in another tab", async () => {
    const login = freshName("gus");
    addPerson(login, {});
    const { page } = await dashboard.openPage();
    await page.goto("/settings/tokens");
    await logInAtProvider(page, login);
    await page.getByRole("button", { name: "New token" }).click();
    const name = page.getByLabel("Name (optional)");
    await name.fill("half a word");
    const headers = { Origin: dashboard.server.url };
    await page.request.post("/api/v2/users/logout", { headers });
    const dialog = page.getByRole("dialog", { name: "Log in to Slipway" });
    const link = dialog.getByRole("link", { name: "Log in with Acme <b>Inc.</b> in another tab" });
    const [tab] = await Promise.all([page.context().waitForEvent("page"), link.click()]);
    // The provider still knows the person.
    await tab.getByRole("heading", { name: "Workspaces" }).waitFor();
    await page.evaluate("dispatchEvent(new Event('focus'))");
    await dialog.waitFor({ state: "detached" });
    expect(await name.inputValue()).toBe("half a word");
  });

  it("reads on a page why the log-in failed", async () => {
    addPerson("bea", { email: "bea@elsewhere.example" });
    const watched = await dashboard.openPage();
    const { page } = watched;
    await page.goto("/login");
    await logInAtProvider(page, "bea");
    await page.getByRole("alert").getByText("your email domain").waitFor();
    await expectSound(watched);
  });

  it("reads no text that a link brings along", async () => {
    const { page } = await dashboard.openPage();
    await page.goto("/login?error=Call+0900+to+unlock&provider=acme");
    await page.getByRole("link", { name: /^Log in with/ }).waitFor();
    expect(await page.getByText("0900").count()).toBe(0);
  });
});

describe("a user with a password", () => {
  const openSecurityPage = async (prefix: string): Promise<UserPage> => {
    const watched = await dashboard.openUserPage(prefix);
    await watched.page.goto("/settings/security");
    await watched.page.getByRole("button", { name: "Log in with Acme <b>Inc.</b>…" }).click();
    return watched;
  };

  it("converts their account to the provider", async () => {
    const watched = await openSecurityPage("cleo");
    const { page, user } = watched;
    addPerson("cleo-at-acme", { email: user.email });
    await page.getByRole("dialog").getByLabel("Current password").fill("wrong");
    await page.getByRole("button", { name: "Continue at Acme <b>Inc.</b>" }).click();
    await page.getByText("is incorrect").waitFor();
    await expectSound(watched, /status of 400/);
    await page.getByRole("dialog").getByLabel("Current password").fill(user.password);
    await page.getByRole("button", { name: "Continue at Acme <b>Inc.</b>" }).click();
    await answerProvider(page, "cleo-at-acme");
    await page.getByText("You have no password here").waitFor();
    expect(new URL(page.url()).pathname).toBe("/settings/security");
  });

  it("reads why it failed, and keeps the password", async () => {
    addPerson("dora", { email: "dora@elsewhere.example" });
    const watched = await openSecurityPage("dora");
    const { page, user } = watched;
    await page.getByRole("dialog").getByLabel("Current password").fill(user.password);
    await page.getByRole("button", { name: "Continue at Acme <b>Inc.</b>" }).click();
    await answerProvider(page, "dora");
    await page.getByRole("alert").getByText("your email domain").waitFor();
    await page.getByRole("heading", { name: "Password" }).waitFor();
    await expectSound(watched);
  });
});

it("links an external account, keeps it when it could not be unlinked, and unlinks it", async () => {
  const watched = await dashboard.openUserPage("lou");
  const { page } = watched;
  await page.goto("/settings/external-auth");
  const row = page.getByRole("main").getByRole("listitem").filter({ hasText: "linked" });
  await row.getByText("Not linked").waitFor();
  await page.getByRole("link", { name: /^Link account at git/i }).click();
  await page.getByRole("button", { name: "Log in with Git Test" }).click();
  await row.getByText(/^Linked/).waitFor();
  await expectSound(watched);
  await page.route(
    "**/external-auth/git",
    (route) => route.fulfill({ status: 500, json: { message: "The database is full." } }),
    { times: 1 },
  );
  await page.getByRole("button", { name: /^Unlink… git/i }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Unlink account" }).click();
  await dialog.getByText("The database is full.").waitFor();
  await dialog.getByRole("button", { name: "Unlink account" }).click();
  await row.getByText("Not linked").waitFor();
});

describe("the login of a program", () => {
  const evil = "<img src=x onerror=alert(1)> \u00e9vil/1.0";
  const program = (): ApiClient =>
    new ApiClient({ serverUrl: dashboard.server.url, headers: { "User-Agent": evil } });

  /** Asks for the session until the program has one, or is refused. */
  function poll(client: ApiClient, device_code: string): Promise<string> {
    const ask = async (): Promise<string> => {
      const answer = client.call(redeemDeviceLogin, { body: { device_code } });
      const outcome = await answer.then(
        () => "session",
        (error: unknown) => String(Object(error).body?.detail),
      );
      expect(outcome).not.toBe("authorization_pending");
      return outcome;
    };
    return vi.waitFor(ask, { interval: 200, timeout: 60_000 });
  }

  it("is approved by a person who sees what asks", async () => {
    const client = program();
    const login = await client.call(createDeviceLogin);
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    const ended = poll(client, login.device_code);
    await page.goto(`/login/device?code=${login.user_code}`);
    const facts = page.getByRole("status", { name: "The program" });
    await facts.getByText("onerror=alert(1)").waitFor();
    await facts.getByText("127.0.0.1").waitFor();
    await page.getByText(login.user_code, { exact: true }).waitFor();
    await expectSound(watched);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("The program is logged in as you.").waitFor();
    expect(await ended).toBe("session");
  });

  it("is refused, and its code may be typed", async () => {
    const client = program();
    const login = await client.call(createDeviceLogin);
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    const ended = poll(client, login.device_code);
    await page.goto("/login/device");
    await page.getByLabel("Code").fill("BCDFG-HJKLM");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("This code is not a code of this server").waitFor();
    await page.getByLabel("Code").fill(login.user_code.toLowerCase());
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText(login.user_code, { exact: true }).waitFor();
    await page.getByRole("button", { name: "Refuse" }).click();
    await page.getByText("The login was refused.").waitFor();
    expect(await ended).toBe("access_denied");
    await expectSound(watched, /status of 400/);
  });
});
