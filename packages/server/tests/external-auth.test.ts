import { createServer } from "node:http";
import { json } from "node:stream/consumers";

import {
  createWorkspace,
  deleteExternalAuth,
  deleteUser,
  getExternalAuth,
  getTemplate,
  listExternalAuth,
  listTemplateVersionExternalAuth,
  suspendUser,
} from "@slipway/api";
import {
  connectExternalAgent,
  type LocalServer,
  makeWorkspace,
  openLocalServer,
  pushTemplate,
} from "@slipway/testkit";
import { type OAuthServer, openOAuthServer } from "@slipway/testkit/oauth";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { ProviderBrowser } from "./support/provider-browser.ts";
import { type WireAnswer, wireRequest } from "./support/wire-request.ts";

/* Logins of users to a real authorization server, and the tokens that their agents get. */

const secretKey = "a key of the server that is long enough";
const opened = new AsyncDisposableStack();
let provider: OAuthServer;
/** The requests to the API of GitHub, which the last of the providers has, and the status of its next answer. */
const github: { asked: unknown[]; status: number } = { asked: [], status: 204 };
let server: OpenServer;
let environment: Record<string, string>;
let ada: Person;
let eve: Person;
let adasAgent: string;
let evesAgent: string;

beforeAll(async () => {
  provider = opened.use(await openOAuthServer());
  environment = {
    SLIPWAY_SECRET_KEY: secretKey,
    ...provider.settings(0, "git"),
    ...provider.settings(1, "other"),
    SLIPWAY_EXTERNAL_AUTH_1_REGEX: "",
    SLIPWAY_EXTERNAL_AUTH_1_EXTRA_TOKEN_KEYS: "scope",
    ...provider.settings(2, "hub"),
    SLIPWAY_EXTERNAL_AUTH_2_TYPE: "github",
    SLIPWAY_EXTERNAL_AUTH_2_REGEX: "hub",
    SLIPWAY_EXTERNAL_AUTH_2_REVOKE_URL: `${opened.use(await openGitHub()).url}/applications/slipway/grant`,
  };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  const templateId = await pushTemplate(server.admin, "external", template);
  [ada, eve] = [await addPerson(server, "ada"), await addPerson(server, "eve")];
  const connect = async ({ client }: Person): Promise<string> => {
    const workspace = await makeWorkspace(client, "dev", templateId, () => true);
    const agent = await connectExternalAgent(server.admin, workspace.id, "main");
    opened.adopt(agent, ({ connection }) => connection.close());
    return agent.token;
  };
  [adasAgent, evesAgent] = [await connect(ada), await connect(eve)];
});

afterEach(async () => {
  provider.changeAnswer = () => undefined;
  await server.db.deleteFrom("external_auth_links").execute();
});

afterAll(() => opened.disposeAsync());

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;
const params = { provider: "git" };

function openGitHub(): Promise<LocalServer> {
  return openLocalServer(
    createServer((request, response) => {
      const { method, url, headers } = request;
      void json(request).then((body) => {
        github.asked.push({ method, url, authorization: headers.authorization, body });
        response.writeHead(github.status).end();
      });
    }),
  );
}

function agentsToken(query: string, token = adasAgent, url = server.url): Promise<WireAnswer> {
  return wireRequest("GET", `${url}/api/v2/workspaceagents/me/external-auth?${query}`, { token });
}

function browserOf({ client }: Person): ProviderBrowser {
  return new ProviderBrowser(server, client);
}

const notLoggedIn = { access_token: "", token_extra: null, type: "", username: "", password: "" };

describe("a log-in", () => {
  it("gives the owner's agents the token, by id and by address", async () => {
    const before = await agentsToken("id=git&match=");
    expect(before.body).toMatchObject({ ...notLoggedIn, url: `${server.url}/external-auth/git` });
    const done = await browserOf(ada).logIn("git");
    expect(done).toMatchObject({ status: 303, headers: { location: "/external-auth/git" } });
    const token = provider.accepted.at(-1) ?? "";
    for (const query of ["id=git&match=", "id=&match=https://git.test/a/b", "url=git.test"]) {
      expect((await agentsToken(query)).body).toMatchObject({
        access_token: token,
        token_extra: null,
        url: "",
        type: "generic",
        username: token,
        password: "",
      });
    }
    expect((await agentsToken("id=git", evesAgent)).body).toMatchObject(notLoggedIn);
  });

  it("is shown to the user alone, without the tokens", async () => {
    await browserOf(ada).logIn("git");
    const list = await ada.client.call(listExternalAuth, {});
    expect(list.providers.map(({ id }) => id)).toEqual(["git", "other", "hub"]);
    expect(list.links).toMatchObject([
      { provider_id: "git", authenticated: true, has_refresh_token: true, validate_error: "" },
    ]);
    expect(JSON.stringify(list)).not.toContain(provider.accepted.at(-1));
    expect((await eve.client.call(listExternalAuth, {})).links).toEqual([]);
    const state = await ada.client.call(getExternalAuth, { params });
    expect(state).toMatchObject({ authenticated: true, device: false, user: { login: "ada" } });
    const page = await browserOf(ada).ask("/external-auth/git");
    expect(page.text).toContain("logged in to Git Test as <strong>ada</strong>");
  });

  it("is in the audit trail, as is the log-out, without the tokens", async () => {
    await browserOf(ada).logIn("git");
    await browserOf(ada).logIn("git");
    await ada.client.call(deleteExternalAuth, { params });
    const query = "q=resource_type:external_auth_link%20username:ada&limit=3";
    const { body } = await server.request("GET", `/audit?${query}`);
    const entry = { resource_target: "git", user: { username: "ada" } };
    const byPage = { ...entry, status_code: 303, ip: "127.0.0.1" };
    expect(body).toMatchObject({
      audit_logs: [
        { ...entry, action: "delete", description: "{user} deleted external auth link {target}" },
        { ...byPage, action: "write" },
        { ...byPage, action: "create", diff: { tokens: { old: "", new: "", secret: true } } },
      ],
    });
    for (const token of provider.accepted) expect(JSON.stringify(body)).not.toContain(token);
  });

  it("hands on the fields of the response that are configured", async () => {
    provider.changeAnswer = ({ body }) => {
      if (body !== "") body["scope"] = "repo gist";
    };
    await browserOf(ada).logIn("other");
    expect((await agentsToken("id=other")).body).toMatchObject({
      token_extra: { scope: "repo gist" },
    });
  });

  it("leads on to a path of this server, and nowhere else", async () => {
    const to = async (redirect: string): Promise<unknown> => {
      const query = `?redirect=${encodeURIComponent(redirect)}`;
      return (await browserOf(ada).logIn("git", query)).headers["location"];
    };
    expect(await to("/workspaces?a=b")).toBe("/workspaces?a=b");
    for (const elsewhere of ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:x"]) {
      expect(await to(elsewhere)).toBe("/");
    }
  });

  it("stores nothing in clear", async () => {
    await browserOf(ada).logIn("git");
    const [row] = await server.db.selectFrom("external_auth_links").selectAll().execute();
    expect(row?.tokens_encrypted.includes(provider.accepted.at(-1) ?? "-")).toBe(false);
  });
});

describe("a template that needs a login", () => {
  const needy = `external_auth: { git: {}, other: { optional: true }, none: { optional: true } }
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

  it("says so to each user, and creates a workspace for those who have logged in", async () => {
    const templateId = await pushTemplate(server.admin, "needy", needy);
    const { active_version_id: version } = await server.admin.call(getTemplate, {
      params: { template: templateId },
    });
    const ask = { params: { version } };
    const page = `${server.url}/external-auth/git`;
    const git = { id: "git", type: "generic", authenticate_url: page, optional: false };
    expect(await ada.client.call(listTemplateVersionExternalAuth, ask)).toMatchObject([
      { ...git, authenticated: false },
      { id: "other", authenticated: false, optional: true },
    ]);
    const body = { name: "needy", template_id: templateId };
    const create = () => ada.client.call(createWorkspace, { params: { user: "me" }, body });
    await expect(create()).rejects.toMatchObject({
      status: 400,
      body: {
        message: expect.stringMatching(/not logged in to Git Test/),
        detail: expect.stringContaining(page),
      },
    });
    await browserOf(ada).logIn("git");
    expect(await ada.client.call(listTemplateVersionExternalAuth, ask)).toMatchObject([
      { ...git, authenticated: true },
      { id: "other", authenticated: false },
    ]);
    expect(await create()).toMatchObject({ name: "needy" });
  });

  it("is of no use where its provider is not configured", async () => {
    const missing = needy.replace("{ git: {}", "{ gone: {}");
    const templateId = await pushTemplate(server.admin, "missing", missing);
    const body = { name: "missing", template_id: templateId };
    const created = ada.client.call(createWorkspace, { params: { user: "me" }, body });
    await expect(created).rejects.toMatchObject({
      status: 404,
      body: { message: expect.stringMatching(/external auth provider "gone"/) },
    });
  });
});

describe("a callback", () => {
  it("counts once, and only in the session that began", async () => {
    const [mine, theirs] = [browserOf(ada), browserOf(eve)];
    const callback = await mine.visit(await mine.begin("git"));
    // The other has a login of their own open, or none.
    expect(await theirs.ask(callback)).toMatchObject({ status: 400 });
    await theirs.begin("git");
    expect(await theirs.ask(callback)).toMatchObject({ status: 400 });
    expect(await mine.ask(callback)).toMatchObject({ status: 303 });
    expect(await mine.ask(callback)).toMatchObject({ status: 400 });
    expect((await eve.client.call(listExternalAuth, {})).links).toEqual([]);
  });

  it("is of no use with the cookie of another session or provider", async () => {
    const mine = browserOf(ada);
    const callback = await mine.visit(await mine.begin("git"));
    const stolen = /slipway_external_auth=[^;]+/.exec(mine.cookies)?.[0] ?? "";
    const session = `coder_session_token=${eve.client.headers["Coder-Session-Token"]}`;
    const answer = await fetch(`${server.url}${callback}`, {
      headers: { Cookie: `${session}; ${stolen}` },
      redirect: "manual",
    });
    expect(answer.status).toBe(400);
    const moved = callback.replace("/git/", "/other/");
    expect(await mine.ask(moved)).toMatchObject({ status: 400 });
  });

  it.each(["state=wrong", "", "state="])("needs the state that was sent (%s)", async (state) => {
    const mine = browserOf(ada);
    const callback = await mine.visit(await mine.begin("git"));
    const changed = callback.replace(/state=[^&]*/, state);
    expect(await mine.ask(changed)).toMatchObject({ status: 400 });
  });

  it("shows the provider's refusal as text", async () => {
    const mine = browserOf(ada);
    const state = new URL(await mine.begin("git")).searchParams.get("state") ?? "";
    const query = `error=access_denied&error_description=%3Cscript%3E&state=${state}`;
    const { status, text } = await mine.ask(`/external-auth/git/callback?${query}`);
    expect(status).toBe(400);
    expect(text).toContain("access_denied: &lt;script&gt;");
  });

  it("begins nowhere but at a form of this server", async () => {
    const other = await fetch(`${server.url}/external-auth/git`, {
      method: "POST",
      headers: { Cookie: browserOf(ada).cookies, Origin: "https://evil.test" },
    });
    expect(other.status).toBe(403);
    const bare = await browserOf(ada).ask("/external-auth/git/callback");
    expect(bare).toMatchObject({ status: 303, headers: { location: "/external-auth/git" } });
  });

  it("needs a session", async () => {
    const answer = await fetch(`${server.url}/external-auth/git/callback?code=x&state=y`, {
      redirect: "manual",
    });
    expect(answer.headers.get("location")).toBe("/login?redirect=%2Fexternal-auth%2Fgit");
  });
});

describe("a token", () => {
  it("is refreshed before it expires, by one request for all", async () => {
    provider.changeAnswer = ({ body }, grant) => {
      if (body !== "" && grant === "authorization_code") body["expires_in"] = 1;
    };
    await browserOf(ada).logIn("git");
    const replica = opened.use(await openReplica(server, environment));
    provider.grants.length = 0;
    await server.db
      .updateTable("external_auth_links")
      .set({ updated_at: new Date(Date.now() - 3_600_000).toISOString() })
      .execute();
    const urls = [server.url, replica.url, server.url, replica.url];
    const answers = await Promise.all(urls.map((url) => agentsToken("id=git", adasAgent, url)));
    for (const { status } of answers) expect(status).toBe(200);
    const refreshed = provider.accepted.at(-1);
    expect((await agentsToken("id=git")).body).toMatchObject({ access_token: refreshed });
    expect(provider.grants).toEqual(["refresh_token"]);
  });

  it("that cannot be refreshed leads to a new log-in", async () => {
    provider.changeAnswer = (answer, grant) => {
      if (grant === "refresh_token") {
        answer.statusCode = 400;
        answer.body = { error: "invalid_grant", error_description: "it was revoked" };
      } else if (answer.body !== "") answer.body["expires_in"] = 0.01;
    };
    await browserOf(ada).logIn("git");
    await expect
      .poll(async () => (await agentsToken("id=git")).body)
      .toMatchObject({ ...notLoggedIn, url: `${server.url}/external-auth/git` });
    provider.grants.length = 0;
    await agentsToken("id=git");
    expect(provider.grants).toEqual([]);
    const page = await browserOf(ada).ask("/external-auth/git");
    expect(page.text).toContain("invalid_grant: it was revoked");
  });

  it("that the provider no longer accepts leads to a new log-in", async () => {
    await browserOf(ada).logIn("git");
    provider.accepted.length = 0;
    expect((await agentsToken("id=git")).body).toMatchObject(notLoggedIn);
    const { links } = await ada.client.call(listExternalAuth, {});
    expect(links).toMatchObject([
      { authenticated: false, validate_error: expect.stringMatching(/no longer accepts/) },
    ]);
  });

  it("ends with the log-out, at the provider too", async () => {
    await browserOf(ada).logIn("git");
    const removed = await ada.client.call(deleteExternalAuth, { params });
    expect(removed).toEqual({ token_revoked: true });
    expect(provider.accepted).toEqual([]);
    await expect(ada.client.call(deleteExternalAuth, { params })).rejects.toMatchObject({
      status: 404,
    });
  });

  it("ends at GitHub in its own way, and says so when GitHub does not", async () => {
    await browserOf(ada).logIn("hub");
    const token = provider.accepted.at(-1) ?? "";
    const logOut = { params: { provider: "hub" } };
    expect(await ada.client.call(deleteExternalAuth, logOut)).toEqual({ token_revoked: true });
    const credentials = Buffer.from("slipway:the secret of the client").toString("base64");
    expect(github.asked).toEqual([
      {
        method: "DELETE",
        url: "/applications/slipway/grant",
        authorization: `Basic ${credentials}`,
        body: { access_token: token },
      },
    ]);
    for (const status of [404, 503]) {
      github.status = status;
      await browserOf(ada).logIn("hub");
      expect(await ada.client.call(deleteExternalAuth, logOut)).toEqual({
        token_revoked: false,
        token_revocation_error: `it answered with status ${status}`,
      });
    }
    const { links } = await ada.client.call(listExternalAuth, {});
    expect(links).toEqual([]);
  });

  it("ends with its user, whose suspended agents get none", async () => {
    const { user, client } = await addPerson(server, "zoe");
    await browserOf({ user, client }).logIn("git");
    await server.admin.call(deleteUser, { params: { user: user.id } });
    expect(await server.db.selectFrom("external_auth_links").selectAll().execute()).toEqual([]);
    await browserOf(ada).logIn("git");
    const ofAda = { params: { user: ada.user.id } };
    await server.admin.call(suspendUser, ofAda);
    expect((await agentsToken("id=git")).status).toBe(403);
  });
});
