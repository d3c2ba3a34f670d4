import { WebBrowser } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { logInAtAcme, type LogInWorld, openLogInWorld } from "./support/login-world.ts";

let world: LogInWorld;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  world = opened.use(await openLogInWorld());
});
beforeEach(() => {
  world.peer.changeAnswer = () => undefined;
  world.peer.outage = undefined;
});
afterAll(() => opened.disposeAsync());

/** Logs in with a new browser, and resolves to the reason of the refusal that the page's address tells. */
async function refusalOf(login: string, browser = new WebBrowser()): Promise<string | null> {
  const { url } = await logInAtAcme(world.server, browser, login);
  expect(await world.whoIs(browser)).toBe(401);
  return new URL(url).searchParams.get("error");
}

/** Logs in up to the callback, which is not opened; resolves to the browser and the callback's address. */
async function beginAs(login: string): Promise<{ browser: WebBrowser; callback: URL }> {
  const browser = new WebBrowser();
  const isCallback = (url: URL): boolean => url.pathname === "/login/with/acme/callback";
  const { url } = await logInAtAcme(world.server, browser, login, { stopsAt: isCallback });
  return { browser, callback: new URL(url) };
}

const errorOf = (page: { readonly url: string }): string | null =>
  new URL(page.url).searchParams.get("error");

describe("a login at an OpenID provider", () => {
  it("creates a user, knows the same person again, and continues to the path", async () => {
    world.addPerson("ada");
    const browser = new WebBrowser();
    const redirect = "/icon/code.svg?x=1";
    const page = await logInAtAcme(world.server, browser, "ada", { redirect });
    expect(page).toMatchObject({ status: 200, url: `${world.server.url}${redirect}` });
    expect(await world.whoIs(browser)).toBe("ada");
    world.addPerson("ada", { preferred_username: "countess", email: "lovelace@example.com" });
    const other = new WebBrowser();
    await logInAtAcme(world.server, other, "ada");
    expect(await world.whoIs(other)).toBe("ada");
    expect(await world.server.request("GET", "/users/ada")).toMatchObject({
      body: { login_type: "oidc", email: "lovelace@example.com", name: "ADA", status: "active" },
    });
    const entry = { additional_fields: { login_provider: "acme" } };
    const audit = (search: string) =>
      world.server.request("GET", `/audit?q=${search}+username:ada`);
    expect(await audit("action:login")).toMatchObject({
      body: { count: 2, audit_logs: [entry, entry] },
    });
    expect(await audit("resource_type:user+action:create")).toMatchObject({
      body: { count: 1, audit_logs: [{ resource_target: "ada" }] },
    });
  });

  it("gives another person of the same name a free username", async () => {
    world.addPerson("bob");
    world.addPerson("bob2", { preferred_username: "BOB" });
    for (const login of ["bob", "bob2"]) await logInAtAcme(world.server, new WebBrowser(), login);
    expect(await world.server.request("GET", "/users/bob-2")).toMatchObject({
      body: { username: "BOB-2", email: "bob2@example.com" },
    });
  });

  it("lets many people with one name in at the same moment", async () => {
    const logins = ["c1", "c2", "c3", "c4"];
    for (const login of logins) world.addPerson(login, { preferred_username: "cleo" });
    const browsers = await Promise.all(
      logins.map(async (login) => {
        const { browser, callback } = await beginAs(login);
        return { browser, callback };
      }),
    );
    await Promise.all(browsers.map(({ browser, callback }) => browser.open(callback.href)));
    const names = await Promise.all(browsers.map(({ browser }) => world.whoIs(browser)));
    expect(new Set(names)).toEqual(new Set(["cleo", "cleo-2", "cleo-3", "cleo-4"]));
  });

  it("makes one account for a person who logs in twice at the same moment", async () => {
    world.addPerson("dee");
    const begun = await Promise.all([beginAs("dee"), beginAs("dee"), beginAs("dee")]);
    await Promise.all(begun.map(({ browser, callback }) => browser.open(callback.href)));
    const names = await Promise.all(begun.map(({ browser }) => world.whoIs(browser)));
    expect(names).toEqual(["dee", "dee", "dee"]);
  });

  it.each([
    ["missing", { email: undefined }],
    ["not verified", { email_verified: false }],
    ["of unknown verification", { email_verified: undefined }],
  ])("refuses a new person whose email address is %s", async (_name, claims) => {
    world.addPerson("dan", claims);
    expect(await refusalOf("dan")).toBe("email-unverified");
  });

  it("takes over no account by its email address", async () => {
    world.addPerson("mallory", { email: "ADMIN@example.com" });
    await world.server.db
      .updateTable("users")
      .set({ email: "admin@example.com" })
      .where("username", "=", "admin")
      .execute();
    const browser = new WebBrowser();
    expect(await refusalOf("mallory", browser)).toBe("email-taken");
    // Nor that of another person of the same provider.
    world.addPerson("eve");
    await logInAtAcme(world.server, new WebBrowser(), "eve");
    world.addPerson("eve2", { email: "eve@example.com" });
    expect(await refusalOf("eve2")).toBe("email-taken");
  });

  it("finds the account to which an administrator invited a person", async () => {
    const invited = { username: "fay", email: "Fay@example.com", login_type: "oidc" };
    expect((await world.server.request("POST", "/users", invited)).status).toBe(201);
    world.addPerson("fay-at-acme", { email: "fay@Example.com", preferred_username: "other" });
    const browser = new WebBrowser();
    await logInAtAcme(world.server, browser, "fay-at-acme");
    expect(await world.whoIs(browser)).toBe("fay");
  });

  it("refuses a suspended user with a page that says so", async () => {
    world.addPerson("gus");
    await logInAtAcme(world.server, new WebBrowser(), "gus");
    await world.server.request("PUT", "/users/gus/status/suspend");
    const page = await logInAtAcme(world.server, new WebBrowser(), "gus");
    expect(page.status).toBe(200);
    expect(page.text).toContain("Your account is suspended");
    await world.server.request("PUT", "/users/gus/status/activate");
    const browser = new WebBrowser();
    await logInAtAcme(world.server, browser, "gus");
    expect(await world.whoIs(browser)).toBe("gus");
  });

  it("gives the person of a deleted user another account", async () => {
    world.addPerson("hal");
    await logInAtAcme(world.server, new WebBrowser(), "hal");
    await world.server.request("DELETE", "/users/hal");
    const browser = new WebBrowser();
    await logInAtAcme(world.server, browser, "hal");
    expect(await world.whoIs(browser)).toBe("hal");
  });

  it("is told to clients, and to people on the page", async () => {
    const methods = await fetch(`${world.server.url}/api/v2/users/authmethods`);
    expect(await methods.json()).toEqual({
      password: { enabled: true },
      github: { enabled: false, default_provider_configured: false },
      oidc: { enabled: true, signInText: "Acme", iconUrl: "" },
      providers: [
        {
          id: "acme",
          type: "oidc",
          display_name: "Acme",
          icon_url: "",
          login_url: "/login/with/acme",
        },
      ],
    });
    const page = await new WebBrowser().open(`${world.server.url}/login?redirect=/x`);
    expect(page.text).toContain('href="/login/with/acme?redirect=%2Fx">Log in with Acme</a>');
    const stock = `${world.server.url}/api/v2/users/oidc/callback?redirect=/docs`;
    const { headers } = await fetch(stock, { redirect: "manual" });
    expect(headers.get("location")).toBe("/login/with/acme?redirect=%2Fdocs");
  });

  it("gives a key to whoever logs in for the command", async () => {
    world.addPerson("ida");
    const browser = new WebBrowser();
    const page = await logInAtAcme(world.server, browser, "ida", { redirect: "/cli-auth/key" });
    expect(page.text).toContain("You are signed in as <strong>ida</strong>");
    const { text } = await browser.submit(page, {});
    const key = /<code>([^<]*)<\/code>/.exec(text)?.[1] ?? "";
    const asked = await fetch(`${world.server.url}/api/v2/users/me`, {
      headers: { "Coder-Session-Token": key },
    });
    expect(await asked.json()).toMatchObject({ username: "ida" });
    const forged = await browser.submit(
      { ...page, text: page.text.replace(/value="[^"]*"/, 'value="x"') },
      {},
    );
    expect(forged.text).not.toContain("<code>");
  });
});

describe("the answer of a provider", () => {
  it.each([
    ["the nonce of another login", { nonce: "other" }, "failed"],
    ["another issuer", { iss: "https://evil.example.com" }, "failed"],
    ["another client", { aud: "someone-else" }, "failed"],
    ["an expired ID token", { exp: 1_700_000_000 }, "clock"],
    ["an ID token of the future", { nbf: 4_000_000_000 }, "clock"],
    ["another subject than the user info", { sub: "admin" }, "failed"],
  ])("is refused with %s", async (_name, claims, code) => {
    world.addPerson("kim");
    world.peer.changeAnswer = async (path, body) => {
      if (path !== "/token") return;
      const [, payload = ""] = String(body["id_token"]).split(".");
      const found: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
      body["id_token"] = await world.peer.sign({ ...Object(found), ...claims });
    };
    expect(await refusalOf("kim")).toBe(code);
  });

  it.each([
    ["a signature of another key", (token: string) => `${token.slice(0, -6)}AAAAAA`],
    ["no signature", (token: string) => `${unsigned}.${token.split(".")[1] ?? ""}.`],
    ["no ID token", () => undefined],
  ])("is refused with %s", async (_name, change) => {
    world.addPerson("kim");
    world.peer.changeAnswer = (path, body) => {
      if (path === "/token") body["id_token"] = change(String(body["id_token"]));
    };
    expect(await refusalOf("kim")).toBe("failed");
  });

  it("is refused if it has no end", async () => {
    world.addPerson("kim", { groups: Array.from({ length: 100_000 }, (_one, index) => index) });
    expect(await refusalOf("kim")).toBe("failed");
  });

  it("may be late by a minute, and not by more", async () => {
    world.addPerson("lee");
    const seconds = Math.floor(Date.now() / 1000);
    const late = async (by: number): Promise<string | null> => {
      world.peer.changeAnswer = async (path, body) => {
        if (path !== "/token") return;
        const [, payload = ""] = String(body["id_token"]).split(".");
        const found: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
        body["id_token"] = await world.peer.sign({ ...Object(found), exp: seconds - by });
      };
      return errorOf(await logInAtAcme(world.server, new WebBrowser(), "lee"));
    };
    expect(await late(30)).toBeNull();
    expect(await late(90)).toBe("clock");
  });

  it("that is none leads to a page, and other logins go on", async () => {
    world.addPerson("max");
    const { browser, callback } = await beginAs("max");
    world.peer.outage = 502;
    const page = await browser.open(callback.href);
    expect(errorOf(page)).toBe("unavailable");
    expect(page.text).toContain("Acme does not respond");
    world.peer.outage = undefined;
    const again = new WebBrowser();
    await logInAtAcme(world.server, again, "max");
    expect(await world.whoIs(again)).toBe("max");
  });

  it("that denies the login is told in our own words", async () => {
    const browser = new WebBrowser();
    const form = await browser.open(`${world.server.url}/login/with/acme`);
    const cancel = /href="([^"]*\/abort)"/.exec(form.text)?.[1] ?? "";
    const page = await browser.open(new URL(cancel, form.url).href);
    expect(errorOf(page)).toBe("denied");
    expect(page.text).toContain("The login was canceled or denied at Acme.");
  });
});

const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");

describe("the browser of a login", () => {
  it("is the one that began it", async () => {
    world.addPerson("ned");
    const { callback } = await beginAs("ned");
    const victim = new WebBrowser();
    expect(errorOf(await victim.open(callback.href))).toBe("expired");
    // Not with a login of the victim's own, either.
    const begun = await beginAs("ned");
    expect(errorOf(await begun.browser.open(callback.href))).toBe("expired");
    expect(await world.whoIs(begun.browser)).toBe(401);
  });

  it("completes it once, however many callbacks come together", async () => {
    world.addPerson("oli");
    const { browser, callback } = await beginAs("oli");
    const cookie = browser.cookie(world.server.url, "slipway_login") ?? "";
    const pages = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const copy = new WebBrowser();
        copy.setCookie(world.server.url, "slipway_login", cookie);
        await copy.open(callback.href);
        return world.whoIs(copy);
      }),
    );
    expect(pages.filter((who) => who === "oli").length).toBeLessThanOrEqual(1);
    expect(errorOf(await browser.open(callback.href))).not.toBeNull();
  });

  it("keeps nothing that it could change or read", async () => {
    const { browser } = await beginAs("oli");
    const cookie = browser.cookie(world.server.url, "slipway_login") ?? "";
    expect(cookie.split(".")).toHaveLength(5);
    expect(Buffer.from(cookie, "base64url").toString("latin1")).not.toContain("state");
  });

  it.each(["//evil.example.com", "https://evil.example.com/", "/\\evil.example.com", "/a\n/b"])(
    "is never led to %s",
    async (redirect) => {
      world.addPerson("pat");
      const browser = new WebBrowser();
      const page = await logInAtAcme(world.server, browser, "pat", { redirect });
      expect(page.url).toBe(`${world.server.url}/`);
    },
  );

  it("proves by PKCE that the code is for it", async () => {
    const { headers } = await fetch(`${world.server.url}/login/with/acme`, { redirect: "manual" });
    const { searchParams } = new URL(headers.get("location") ?? "");
    expect(searchParams.get("code_challenge_method")).toBe("S256");
    expect(headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Lax/);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("begins few logins in a minute", async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 70; count += 1) {
      const { status } = await fetch(`${world.server.url}/login/with/acme/callback`, {
        redirect: "manual",
        headers: { "X-Forwarded-For": "10.0.0.1" },
      });
      statuses.push(status);
    }
    expect(statuses.at(-1)).toBe(429);
  });

  it("finds no provider that is not configured", async () => {
    const { status } = await fetch(`${world.server.url}/login/with/nobody`, {
      redirect: "manual",
      headers: { Accept: "text/html" },
    });
    expect(status).toBe(404);
  });
});
