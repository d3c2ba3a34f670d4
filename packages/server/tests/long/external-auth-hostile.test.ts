import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import {
  createExternalAuthDevice,
  getExternalAuth,
  redeemExternalAuthDevice,
} from "@slipway/api/external-auth/routes";
import { deleteUser, suspendUser } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  connectExternalAgent,
  makeWorkspace,
  openLocalServer,
  pushTemplate,
} from "@slipway/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "../support/open-server.ts";
import { addPerson, type Person } from "../support/people.ts";
import { fillPool, pushPool } from "../support/pool.ts";
import { ProviderBrowser } from "../support/provider-browser.ts";
import { type WireAnswer, wireRequest } from "../support/wire-request.ts";

/* Providers that misbehave, and agents and users who request more than is theirs. */

const clientSecret = "the-secret-of-the-client";
const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId: string;

interface Asked {
  readonly path: string;
  readonly body: URLSearchParams;
}

/** Answers the server's requests to the provider. */
let answer: (asked: Asked, response: ServerResponse) => void;

const goodToken = { access_token: "good-token", token_type: "bearer" };

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** Answers like a correct provider. */
function wellBehaved({ path }: Asked, response: ServerResponse): void {
  json(response, path === "/token" ? goodToken : {});
}

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return { path: request.url ?? "", body: new URLSearchParams(Buffer.concat(parts).toString()) };
}

beforeAll(async () => {
  const provider = opened.use(
    await openLocalServer(
      createServer((request, response) => {
        void readAsked(request).then((asked) => answer(asked, response));
      }),
    ),
  );
  const settings = (more: Readonly<Record<string, string>>) => ({
    TYPE: "generic",
    CLIENT_ID: "slipway",
    CLIENT_SECRET: clientSecret,
    AUTH_URL: `${provider.url}/authorize`,
    TOKEN_URL: `${provider.url}/token`,
    VALIDATE_URL: `${provider.url}/user`,
    REGEX: String.raw`git\.test`,
    ...more,
  });
  const environment = [
    settings({ ID: "git" }),
    settings({
      ID: "device",
      DEVICE_FLOW: "true",
      DEVICE_CODE_URL: `${provider.url}/device`,
      REGEX: "",
    }),
  ].flatMap((one, number) =>
    Object.entries(one).map(([key, value]) => [`SLIPWAY_EXTERNAL_AUTH_${number}_${key}`, value]),
  );
  server = opened.use(await openServer(inject("postgresUrl"), Object.fromEntries(environment)));
  templateId = await pushTemplate(
    server.admin,
    "external",
    "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n",
  );
});

afterEach(async () => {
  answer = wellBehaved;
  await server.db.deleteFrom("external_auth_links").execute();
});

afterAll(() => opened.disposeAsync());

answer = wellBehaved;

let people = 0;
function newPerson(): Promise<Person> {
  people += 1;
  return addPerson(server, `person${people}`);
}

interface Owner extends Person {
  readonly workspace: Workspace;
  readonly token: string;
}

/** Creates a user with a workspace whose agent is connected. */
async function newOwner(): Promise<Owner> {
  return withWorkspace(await newPerson(), "dev");
}

async function withWorkspace(person: Person, name: string): Promise<Owner> {
  const workspace = await makeWorkspace(person.client, name, templateId, () => true);
  const agent = await connectExternalAgent(server.admin, workspace.id, "main");
  opened.adopt(agent, ({ connection }) => connection.close());
  return { ...person, workspace, token: agent.token };
}

function agentsToken(token: string, query = "id=git"): Promise<WireAnswer> {
  return wireRequest("GET", `${server.url}/api/v2/workspaceagents/me/external-auth?${query}`, {
    token,
  });
}

/** Logs in up to the provider's response; resolves to the callback. */
async function callbackOf(browser: ProviderBrowser): Promise<string> {
  const state = new URL(await browser.begin("git")).searchParams.get("state") ?? "";
  return `/external-auth/git/callback?code=the-code-of-the-log-in&state=${state}`;
}

async function logIn({ client }: Person): Promise<void> {
  const browser = new ProviderBrowser(server, client);
  expect(await browser.ask(await callbackOf(browser))).toMatchObject({ status: 303 });
}

async function countLinks(): Promise<number> {
  return (await server.db.selectFrom("external_auth_links").select("id").execute()).length;
}

describe("a provider whose answer", () => {
  const html = { "Content-Type": "text/html" };
  it.each<readonly [string, (response: ServerResponse, asked: Asked) => void]>([
    ["is a page", (response) => response.writeHead(200, html).end("<h1>Log in</h1>")],
    ["is an error page", (response) => response.writeHead(502, html).end("<h1>Oops</h1>")],
    ["is empty", (response) => response.end()],
    ["is a list", (response) => json(response, [goodToken])],
    ["has no token", (response) => json(response, { token_type: "bearer" })],
    ["has no text as a token", (response) => json(response, { ...goodToken, access_token: {} })],
    ["has a token of two lines", (response) => json(response, { access_token: "a\nX-Header: b" })],
    ["has another type", (response) => json(response, { ...goodToken, token_type: "mac" })],
    ["is longer than the limit", (response) => json(response, { x: "y".repeat(300_000) })],
    ["has a long token", (response) => json(response, { access_token: "y".repeat(20_000) })],
    ["leads elsewhere", (response) => response.writeHead(307, { Location: "/user" }).end()],
    ["is cut off", (response) => response.destroy()],
    [
      "repeats the secrets",
      (response, { body }) => {
        const { code, client_secret: secret } = Object.fromEntries(body);
        json(response, { error: "invalid_grant", error_description: `${code} ${secret}` });
      },
    ],
  ])("%s logs nobody in, and shows no secret", async (_what, reply) => {
    const browser = new ProviderBrowser(server, (await newPerson()).client);
    const callback = await callbackOf(browser);
    answer = (asked, response) => reply(response, asked);
    const { status, text } = await browser.ask(callback);
    expect(status).toBe(400);
    expect(text).toContain("did not log you in");
    expect(text).not.toMatch(/the-secret|the-code|good-token/);
    expect(await countLinks()).toBe(0);
  });

  it.each([
    [200, {}, 200, "good-token"],
    [429, {}, 200, "good-token"],
    [403, { "Retry-After": "60" }, 200, "good-token"],
    [403, { "X-RateLimit-Remaining": "0" }, 200, "good-token"],
    [403, {}, 200, ""],
    [401, {}, 200, ""],
    [404, {}, 503, undefined],
    [500, {}, 503, undefined],
    [302, { Location: "/token" }, 503, undefined],
  ])("to a validation is %d %j gives an agent %d with %j", async (code, headers, status, token) => {
    const owner = await newOwner();
    await logIn(owner);
    answer = (_asked, response) => response.writeHead(code, headers).end();
    const reply = await agentsToken(owner.token);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject(token === undefined ? {} : { access_token: token });
  });
});

it("a refresh that fails is left to the next request", async () => {
  const owner = await newOwner();
  const expired = { ...goodToken, refresh_token: "refresh-token", expires_in: 0.001 };
  answer = (_asked, response) => json(response, expired);
  await logIn(owner);
  answer = (_asked, response) => response.writeHead(503).end();
  expect((await agentsToken(owner.token)).status).toBe(503);
  const link = server.db.selectFrom("external_auth_links").select("refreshing_until");
  expect(await link.execute()).toEqual([{ refreshing_until: null }]);
  answer = wellBehaved;
  expect(await agentsToken(owner.token)).toMatchObject({
    status: 200,
    body: { access_token: "good-token" },
  });
});

describe("a request that waits for a log-in", () => {
  it("is one of few of its agent, and ends with the log-in", async () => {
    const owner = await newOwner();
    const waiting = Array.from({ length: 8 }, () => agentsToken(owner.token, "id=git&listen=true"));
    const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
    await expect.poll(metrics).toContain("slipway_external_auth_waits 8\n");
    expect((await agentsToken(owner.token, "id=git&listen=true")).status).toBe(429);
    const { token } = await withWorkspace(owner, "another");
    waiting.push(agentsToken(token, "id=git&listen=true"));
    const other = await newOwner();
    const others = agentsToken(other.token, "match=git.test&listen");
    await logIn(owner);
    for (const { status, body } of await Promise.all(waiting)) {
      expect({ status, body }).toMatchObject({ status: 200, body: { access_token: "good-token" } });
    }
    await logIn(other);
    expect((await others).status).toBe(200);
    const again = await agentsToken(owner.token, "id=git&listen=true");
    expect(again.status).toBe(200);
  });

  it("ends with its client", async () => {
    const { token } = await newOwner();
    const leaving = new AbortController();
    const path = "/api/v2/workspaceagents/me/external-auth";
    const waiting = fetch(`${server.url}${path}?id=git&listen=true`, {
      headers: { "Coder-Session-Token": token },
      signal: leaving.signal,
    });
    const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
    await expect.poll(metrics).toContain("slipway_external_auth_waits 1\n");
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(metrics).toContain("slipway_external_auth_waits 0\n");
  });

  it("ends without a token when its owner is suspended, or its agent's build is over", async () => {
    const [ada, bob] = [await newOwner(), await newOwner()];
    const adas = agentsToken(ada.token, "id=git&listen=true");
    const bobs = agentsToken(bob.token, "id=git&listen=true");
    await server.admin.call(suspendUser, { params: { user: ada.user.id } });
    const params = { workspace: bob.workspace.id };
    await server.admin.call(createBuild, { params, body: { transition: "delete" } });
    expect((await adas).status).toBe(403);
    expect((await bobs).status).toBe(401);
  });
});

describe("a prebuild", () => {
  it("gets no token before its claim, and its owner's after it", async () => {
    const pool = await pushPool(server, 1);
    const [prebuild] = await fillPool(server, 1, opened);
    const token = prebuild?.agents[0]?.token ?? "";
    await logIn({ user: (await newPerson()).user, client: server.admin });
    expect((await agentsToken(token)).body).toMatchObject({ access_token: "", type: "" });
    const owner = await newPerson();
    await logIn(owner);
    const body = {
      name: "mine",
      template_id: pool.template.id,
      template_version_preset_id: pool.presetId,
    };
    const workspace = await owner.client.call(createWorkspace, { params: { user: "me" }, body });
    expect(workspace.id).toBe(prebuild?.workspace.id);
    await expect
      .poll(async () => (await agentsToken(token)).body)
      .toMatchObject({ access_token: "good-token" });
  });
});

describe("a user who is deleted during the log-in", () => {
  it("leaves no token behind", async () => {
    const person = await newPerson();
    const browser = new ProviderBrowser(server, person.client);
    const callback = await callbackOf(browser);
    const asked = Promise.withResolvers<ServerResponse>();
    answer = (_asked, response) => asked.resolve(response);
    const answered = browser.ask(callback);
    const response = await asked.promise;
    await server.admin.call(deleteUser, { params: { user: person.user.id } });
    json(response, goodToken);
    expect((await answered).status).toBe(400);
    expect(await countLinks()).toBe(0);
    expect(await browser.ask(callback)).toMatchObject({ status: 303 });
  });
});

describe("the device flow", () => {
  const params = { provider: "device" };
  const device = {
    device_code: "the-code-of-the-device",
    user_code: "ABCD-1234",
    verification_uri: "https://git.test/device",
    expires_in: 600,
    interval: 5,
  };
  let isEntered = false;

  function answerDevice({ path, body }: Asked, response: ServerResponse): void {
    if (path === "/device") return json(response, device);
    if (path !== "/token") return json(response, {});
    if (body.get("device_code") !== device.device_code) {
      return json(response, { error: "expired_token" }, 400);
    }
    return json(response, isEntered ? goodToken : { error: "authorization_pending" });
  }

  it("logs the user in who began it, once the code is entered", async () => {
    [answer, isEntered] = [answerDevice, false];
    const [ada, eve] = [await newPerson(), await newPerson()];
    const begun = await ada.client.call(createExternalAuthDevice, { params });
    expect(begun).toMatchObject({ user_code: "ABCD-1234", interval: 5 });
    const body = { device_code: begun.device_code };
    const redeem = ({ client }: Person, code = body) =>
      client.call(redeemExternalAuthDevice, { params, body: code });
    const refusal = (detail: string) => ({ status: 400, body: { detail } });
    await expect(redeem(ada)).rejects.toMatchObject(refusal("authorization_pending"));
    isEntered = true;
    await expect(redeem(eve)).rejects.toMatchObject(refusal("expired_token"));
    const raw = { device_code: device.device_code };
    await expect(redeem(ada, raw)).rejects.toMatchObject(refusal("expired_token"));
    await redeem(ada);
    expect(await ada.client.call(getExternalAuth, { params })).toMatchObject({
      authenticated: true,
      device: true,
    });
    expect(await eve.client.call(getExternalAuth, { params })).toMatchObject({
      authenticated: false,
    });
  });

  it("has a page, which works without scripts", async () => {
    [answer, isEntered] = [answerDevice, false];
    const browser = new ProviderBrowser(server, (await newPerson()).client);
    const nonce = `nonce=${await browser.nonceOf("device")}`;
    const page = await browser.ask("/external-auth/device", "POST", nonce);
    expect(page.text).toContain("<code>ABCD-1234</code>");
    expect(page.text).not.toContain(device.device_code);
    const code = /name="device_code" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    expect(
      await browser.ask("/external-auth/device/device", "POST", `device_code=${code}`),
    ).toMatchObject({ status: 403 });
    const form = `${nonce}&device_code=${code}`;
    const pending = await browser.ask("/external-auth/device/device", "POST", form);
    expect(pending.text).toContain("has not got the code yet");
    isEntered = true;
    const done = await browser.ask("/external-auth/device/device", "POST", form);
    expect(done).toMatchObject({ status: 303, headers: { location: "/external-auth/device" } });
    expect((await browser.ask("/external-auth/device")).text).toContain("You are logged in");
  });

  it.each([
    { ...device, verification_uri: "javascript:alert(1)" },
    { ...device, user_code: "<b>" },
    { ...device, user_code: "" },
    { ...device, device_code: "x".repeat(10_000) },
    { user_code: "ABCD" },
  ])("refuses what is no code (%#)", async (body) => {
    answer = (_asked, response) => json(response, body);
    const { client } = await newPerson();
    await expect(client.call(createExternalAuthDevice, { params })).rejects.toMatchObject({
      status: 503,
    });
  });
});
