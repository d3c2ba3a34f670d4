import { randomUUID } from "node:crypto";

import { oidcClient, WebBrowser } from "@slipway/testkit/oauth";
import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

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

async function logIn(login: string): Promise<WebBrowser> {
  world.addPerson(login);
  const browser = new WebBrowser();
  await logInAtAcme(world.server, browser, login);
  expect(await world.whoIs(browser)).toBe(login);
  return browser;
}

function headersOf(browser: WebBrowser) {
  const token = browser.cookie(world.server.url, "coder_session_token") ?? "";
  return { headers: { "Coder-Session-Token": token } };
}

/** Logs out at the provider itself. */
async function logOutAtAcme(browser: WebBrowser): Promise<void> {
  const form = await browser.open(`${world.peer.url}/session/end`);
  await browser.submit(form, { logout: "yes" });
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const events = { "http://schemas.openid.net/event/backchannel-logout": {} };

/** Returns the claims of a valid log-out token for a person. */
function claimsFor(sub: string): JWTPayload {
  const jti = randomUUID();
  return { iss: world.peer.url, aud: oidcClient.id, iat: seconds(), jti, sub, events };
}

interface Sent {
  readonly provider?: string;
  readonly type?: string;
}

async function send(body: string, { provider = "acme", type = formType }: Sent = {}) {
  const response = await fetch(`${world.server.url}/login/with/${provider}/backchannel-logout`, {
    method: "POST",
    headers: { "Content-Type": type },
    body,
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const formType = "application/x-www-form-urlencoded";
const formOf = (token: string): string => new URLSearchParams({ logout_token: token }).toString();

describe("a log-out at the provider", () => {
  it("ends the session that began there, what it approved and created, and no other", async () => {
    const browser = await logIn("ann");
    const other = await logIn("ann");
    const begun = await world.server.request("POST", "/users/login/device", undefined, {
      headers: {},
    });
    const { device_code, user_code } = Object(begun.body);
    const approval = "/users/login/device/approval";
    await world.server.request("POST", approval, { user_code }, headersOf(browser));
    const redeemed = await world.server.request(
      "POST",
      "/users/login/device/session",
      { device_code },
      { headers: {} },
    );
    const key = await world.server.request("POST", "/users/me/keys", undefined, headersOf(browser));
    const token = await world.server.request(
      "POST",
      "/users/me/keys/tokens",
      {},
      headersOf(browser),
    );
    await logOutAtAcme(browser);
    await vi.waitFor(async () => expect(await world.whoIs(browser)).toBe(401));
    expect(await world.whoIs(other)).toBe("ann");
    const statusOf = async (sessionToken: unknown) => {
      const headers = { "Coder-Session-Token": String(sessionToken) };
      return (await world.server.request("GET", "/users/me", undefined, { headers })).status;
    };
    expect(await statusOf(Object(redeemed.body).session_token)).toBe(401);
    expect(await statusOf(Object(key.body).key)).toBe(401);
    expect(await statusOf(Object(token.body).key)).toBe(200);
    const query = "/audit?q=resource_type:api_key action:delete";
    const { body } = await world.server.request("GET", query);
    const fields = { login_provider: "acme", reason: "logged out at the provider" };
    expect(body).toMatchObject({ audit_logs: [{ additional_fields: fields }] });
  });
});

const isCallback = ({ pathname }: URL): boolean => pathname.endsWith("/callback");

/** Logs in up to the provider's answer; the result sends the answer to the server. */
async function stopBeforeCallback(browser: WebBrowser, login: string) {
  world.addPerson(login);
  const { url } = await logInAtAcme(world.server, browser, login, { stopsAt: isCallback });
  expect(isCallback(new URL(url))).toBe(true);
  return () => browser.open(url);
}

const refusal = (page: { readonly url: string }) => new URL(page.url).searchParams.get("error");

describe("a login in progress", () => {
  it("ends with the session at the provider in which it began, and no other does", async () => {
    const [browser, other] = [await logIn("ida"), await logIn("ida")];
    const begin = `${world.server.url}/login/with/acme`;
    const { url } = await browser.open(begin, isCallback);
    const { url: otherUrl } = await other.open(begin, isCallback);
    const { body } = await world.server.request(
      "GET",
      "/users/oidc-claims",
      undefined,
      headersOf(other),
    );
    const { sid } = Object(body).claims;
    expect(sid).toMatch(/./);
    const token = await world.peer.sign({ ...claimsFor("ida"), sid });
    expect((await send(formOf(token))).status).toBe(200);
    expect(await world.whoIs(other)).toBe(401);
    expect(refusal(await other.open(otherUrl))).toBe("logged-out");
    expect(await world.whoIs(other)).toBe(401);
    expect(refusal(await browser.open(url))).toBe(null);
    expect(await world.whoIs(browser)).toBe("ida");
    await logInAtAcme(world.server, other, "ida");
    expect(await world.whoIs(other)).toBe("ida");
    // A refusal is recorded after its answer.
    await expect
      .poll(async () => {
        const { body: log } = await world.server.request("GET", "/audit?q=action:login");
        return Object(log).audit_logs.map((entry: unknown) => Object(entry).additional_fields);
      })
      .toContainEqual(expect.objectContaining({ reason: "logged-out" }));
  });

  it.each([
    ["a known person", "jon", true],
    ["a new person", "kim", false],
  ])("of %s ends with a token that names only the person", async (_who, login, isKnown) => {
    const earlier = isKnown ? [await logIn(login)] : [];
    const browser = new WebBrowser();
    const proceed = await stopBeforeCallback(browser, login);
    const bystander = new WebBrowser();
    const proceedBystander = await stopBeforeCallback(bystander, "lea");
    expect((await send(formOf(await world.peer.sign(claimsFor(login))))).status).toBe(200);
    expect(refusal(await proceed())).toBe("logged-out");
    for (const one of [browser, ...earlier]) expect(await world.whoIs(one)).toBe(401);
    await proceedBystander();
    expect(await world.whoIs(bystander)).toBe("lea");
    expect(await world.whoIs(await logIn(login))).toBe(login);
  });

  it("has no session afterwards, whichever of the two comes first", async () => {
    const rounds = await Promise.all(
      Array.from({ length: 8 }, async (_, round) => {
        const browser = new WebBrowser();
        const login = `max-${round}`;
        const proceed = await stopBeforeCallback(browser, login);
        const form = formOf(await world.peer.sign(claimsFor(login)));
        return { browser, proceed, logOut: () => send(form) };
      }),
    );
    await Promise.all(
      rounds.flatMap(({ proceed, logOut }, round) =>
        round % 2 === 0 ? [proceed(), logOut()] : [logOut(), proceed()],
      ),
    );
    for (const { browser } of rounds) expect(await world.whoIs(browser)).toBe(401);
  });
});

describe("a log-out", () => {
  it("waits for the first login of a person, and ends its session", async () => {
    const { db } = world.server;
    const isAwaited = async (kind: "relation" | "advisory"): Promise<boolean> => {
      const found = await sql`select from pg_locks l join pg_database d on d.oid = l.database
        where l.locktype = ${kind} and not l.granted and d.datname = current_database()`.execute(
        db,
      );
      return found.rows.length > 0;
    };
    const browser = new WebBrowser();
    const proceed = await stopBeforeCallback(browser, "nia");
    const form = formOf(await world.peer.sign(claimsFor("nia")));
    const ended: string[] = [];
    const running = await db.transaction().execute(async (trx) => {
      // The login stops before it stores its session.
      await sql`lock table api_keys in share mode`.execute(trx);
      const login = proceed().then(() => ended.push("login"));
      await vi.waitFor(async () => expect(await isAwaited("relation")).toBe(true));
      const logOut = send(form).then(() => ended.push("log-out"));
      await vi.waitFor(async () =>
        expect(ended.length > 0 || (await isAwaited("advisory"))).toBe(true),
      );
      return { both: Promise.all([login, logOut]) };
    });
    await running.both;
    expect(await world.whoIs(browser)).toBe(401);
    expect(ended).toHaveLength(2);
  });
});

describe("a log-out token", () => {
  it("that names only the person ends all sessions from there, but not those of others", async () => {
    const browsers = [await logIn("bob"), await logIn("bob")];
    const bystander = await logIn("bystander");
    const byOwner = await world.server.request("POST", "/users/bob/keys");
    const answer = await send(formOf(await world.peer.sign(claimsFor("bob"))));
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    for (const browser of browsers) expect(await world.whoIs(browser)).toBe(401);
    expect(await world.whoIs(bystander)).toBe("bystander");
    const headers = { "Coder-Session-Token": String(Object(byOwner.body).key) };
    const me = await world.server.request("GET", "/users/me", undefined, { headers });
    expect(me.status).toBe(200);
  });

  it("ends sessions once, however often it comes", async () => {
    await logIn("cid");
    const form = formOf(await world.peer.sign(claimsFor("cid")));
    const answers = await Promise.all([send(form), send(form), send(form)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400]);
    const again = await logIn("cid");
    expect((await send(form)).status).toBe(400);
    expect(await world.whoIs(again)).toBe("cid");
  });

  it("is remembered for as long as a login that it ends may take, and not for good", async () => {
    const { db } = world.server;
    const kept = async (minutes: number): Promise<boolean> => {
      await sql`delete from used_logout_tokens`.execute(db);
      await sql`insert into used_logout_tokens (token_hash, ended_hash, used_at)
        values ('old', 'old', now() - make_interval(mins => ${minutes}))`.execute(db);
      await send(formOf(await world.peer.sign(claimsFor("stranger"))));
      const { rows } = await sql`select from used_logout_tokens
        where token_hash = 'old'`.execute(db);
      return rows.length === 1;
    };
    expect(await kept(19)).toBe(true);
    expect(await kept(21)).toBe(false);
  });

  it("of a person or session that the server does not know is in order", async () => {
    for (const change of [{}, { sub: undefined, sid: "x" }]) {
      const token = await world.peer.sign({ ...Object(claimsFor("stranger")), ...change });
      expect((await send(formOf(token))).status).toBe(200);
    }
  });

  it.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["another issuer", { iss: "https://evil.example.com" }],
    ["another client", { aud: "someone-else" }],
    ["no event", { events: undefined }],
    ["another event", { events: { "http://schemas.openid.net/event/other": {} } }],
    ["an event that is not an object", { events: { [Object.keys(events)[0] ?? ""]: true } }],
    ["a nonce, as an ID token has", { nonce: "x" }],
    ["no id", { jti: undefined }],
    ["no time", { iat: undefined }],
    ["a time long ago", { iat: 1_700_000_000 }],
    ["a time in the future", { iat: 4_000_000_000 }],
    ["an end in the past", { exp: 1_700_000_000 }],
    ["neither person nor session", { sub: undefined }],
    ["a person without end", { sub: "x".repeat(300) }],
  ])("is refused with %s", async (_name, change) => {
    const browser = await logIn("dan");
    const token = await world.peer.sign({ ...Object(claimsFor("dan")), ...change });
    const answer = await send(formOf(token));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: "invalid_request" });
    expect(await world.whoIs(browser)).toBe("dan");
  });

  it("is refused without a signature of the provider's own", async () => {
    const browser = await logIn("eve");
    const claims = claimsFor("eve");
    const secret = new TextEncoder().encode(oidcClient.secret.padEnd(32));
    const signed = await world.peer.sign(claims);
    const forged = [
      new UnsecuredJWT(claims).encode(),
      await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "key-1" }).sign(secret),
      `${signed.slice(0, -6)}AAAAAA`,
      "x",
      "",
    ];
    for (const token of forged) expect((await send(formOf(token))).status).toBe(400);
    expect(await world.whoIs(browser)).toBe("eve");
  });

  it("comes alone, in a form, and is no longer than others", async () => {
    const form = formOf(await world.peer.sign(claimsFor("fay")));
    expect((await send(`${form}&${form}`)).status).toBe(400);
    expect((await send(form, { type: "application/json" })).status).toBe(400);
    expect((await send(`${form}&x=${"x".repeat(17_000)}`)).status).toBe(413);
    expect((await send(form, { provider: "nobody" })).status).toBe(404);
  });

  it("of another issuer costs no request to the provider, and one of an unknown key few", async () => {
    let reads = 0;
    world.peer.changeAnswer = (path) => void (reads += path === "/jwks" ? 1 : 0);
    const evil = { ...claimsFor("gil"), iss: "https://evil.example.com" };
    await send(formOf(await world.peer.sign(evil)));
    expect(reads).toBe(0);
    const { privateKey } = await generateKeyPair("RS256");
    for (let count = 0; count < 5; count += 1) {
      const token = await new SignJWT(claimsFor("gil"))
        .setProtectedHeader({ alg: "RS256", kid: `unknown-${count}` })
        .sign(privateKey);
      expect((await send(formOf(token))).status).toBe(400);
    }
    expect(reads).toBeLessThanOrEqual(1);
  });

  it("may come again if the provider did not send its keys", async () => {
    const replica = await world.openReplica();
    const form = formOf(await world.peer.sign(claimsFor("hal")));
    const sendTo = () =>
      fetch(`${replica.url}/login/with/acme/backchannel-logout`, {
        method: "POST",
        headers: { "Content-Type": formType },
        body: form,
      });
    world.peer.outage = 503;
    expect((await sendTo()).status).toBe(503);
    world.peer.outage = undefined;
    expect((await sendTo()).status).toBe(200);
  });
});
