import {
  deleteExternalAuth,
  getExternalAuth,
  listExternalAuth,
} from "@slipway/api/external-auth/routes";
import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionExternalAuth } from "@slipway/api/templates/version-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushTemplate } from "@slipway/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  type ExternalAuthWorld,
  notLoggedIn,
  openExternalAuthWorld,
} from "./support/external-auth-world.ts";

/* Logins of users to a real authorization server, and the tokens that their agents get. */

let world: ExternalAuthWorld;

beforeAll(async () => {
  world = await openExternalAuthWorld();
});

afterEach(() => world.reset());

afterAll(() => world[Symbol.asyncDispose]());

const params = { provider: "git" };

describe("a log-in", () => {
  it("gives the owner's agents the token, by id and by address", async () => {
    const before = await world.agentsToken("id=git&match=");
    expect(before.body).toMatchObject({
      ...notLoggedIn,
      url: `${world.server.url}/external-auth/git`,
    });
    const done = await world.browserOf(world.ada).logIn("git");
    expect(done).toMatchObject({ status: 303, headers: { location: "/external-auth/git" } });
    const token = world.provider.accepted.at(-1) ?? "";
    for (const query of ["id=git&match=", "id=&match=https://git.test/a/b", "url=git.test"]) {
      expect((await world.agentsToken(query)).body).toMatchObject({
        access_token: token,
        token_extra: null,
        url: "",
        type: "generic",
        username: token,
        password: "",
      });
    }
    expect((await world.agentsToken("id=git", world.evesAgent)).body).toMatchObject(notLoggedIn);
  });

  it("gives no token for an address to which Git would send it in plain text", async () => {
    await world.browserOf(world.ada).logIn("git");
    for (const address of ["http://git.test/a/b", "HTTP://git.test/", "ssh://git.test/a"]) {
      const query = `id=&match=${encodeURIComponent(address)}`;
      expect(await world.agentsToken(query)).toMatchObject({ status: 404 });
    }
  });

  it("is shown to the user alone, without the tokens", async () => {
    await world.browserOf(world.ada).logIn("git");
    const list = await world.ada.client.call(listExternalAuth, {});
    expect(list.providers.map(({ id }) => id)).toEqual(["git", "other", "hub"]);
    expect(list.links).toMatchObject([
      { provider_id: "git", authenticated: true, has_refresh_token: true, validate_error: "" },
    ]);
    expect(JSON.stringify(list)).not.toContain(world.provider.accepted.at(-1));
    expect((await world.eve.client.call(listExternalAuth, {})).links).toEqual([]);
    const state = await world.ada.client.call(getExternalAuth, { params });
    expect(state).toMatchObject({ authenticated: true, device: false, user: { login: "ada" } });
    const page = await world.browserOf(world.ada).ask("/external-auth/git");
    expect(page.text).toContain("logged in to Git Test as <strong>ada</strong>");
  });

  it("is in the audit trail, as is the log-out, without the tokens", async () => {
    await world.browserOf(world.ada).logIn("git");
    await world.browserOf(world.ada).logIn("git");
    await world.ada.client.call(deleteExternalAuth, { params });
    const query = "q=resource_type:external_auth_link%20username:ada&limit=3";
    const { body } = await world.server.request("GET", `/audit?${query}`);
    const entry = { resource_target: "git", user: { username: "ada" } };
    const byPage = { ...entry, status_code: 303, ip: "127.0.0.1" };
    expect(body).toMatchObject({
      audit_logs: [
        { ...entry, action: "delete", description: "{user} deleted external auth link {target}" },
        { ...byPage, action: "write" },
        { ...byPage, action: "create", diff: { tokens: { old: "", new: "", secret: true } } },
      ],
    });
    for (const token of world.provider.accepted) expect(JSON.stringify(body)).not.toContain(token);
  });

  it("hands on the fields of the response that are configured", async () => {
    world.provider.changeAnswer = ({ body }) => {
      if (body !== "") body["scope"] = "repo gist";
    };
    await world.browserOf(world.ada).logIn("other");
    expect((await world.agentsToken("id=other")).body).toMatchObject({
      token_extra: { scope: "repo gist" },
    });
  });

  it("leads on to a path of this server, and nowhere else", async () => {
    const to = async (redirect: string): Promise<unknown> => {
      const query = `?redirect=${encodeURIComponent(redirect)}`;
      return (await world.browserOf(world.ada).logIn("git", query)).headers["location"];
    };
    expect(await to("/workspaces?a=b")).toBe("/workspaces?a=b");
    for (const elsewhere of ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:x"]) {
      expect(await to(elsewhere)).toBe("/");
    }
  });

  it("stores nothing in clear", async () => {
    await world.browserOf(world.ada).logIn("git");
    const [row] = await world.server.db.selectFrom("external_auth_links").selectAll().execute();
    expect(row?.tokens_encrypted.includes(world.provider.accepted.at(-1) ?? "-")).toBe(false);
  });
});

describe("a template that needs a login", () => {
  const needy = `external_auth: { git: {}, other: { optional: true }, none: { optional: true } }
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

  it("says so to each user, and creates a workspace for those who have logged in", async () => {
    const templateId = await pushTemplate(world.server.admin, "needy", needy);
    const { active_version_id: version } = await world.server.admin.call(getTemplate, {
      params: { template: templateId },
    });
    const ask = { params: { version } };
    const page = `${world.server.url}/external-auth/git`;
    const git = { id: "git", type: "generic", authenticate_url: page, optional: false };
    expect(await world.ada.client.call(listTemplateVersionExternalAuth, ask)).toMatchObject([
      { ...git, authenticated: false },
      { id: "other", authenticated: false, optional: true },
    ]);
    const body = { name: "needy", template_id: templateId };
    const create = () => world.ada.client.call(createWorkspace, { params: { user: "me" }, body });
    await expect(create()).rejects.toMatchObject({
      status: 400,
      body: {
        message: expect.stringMatching(/not logged in to Git Test/),
        detail: expect.stringContaining(page),
      },
    });
    await world.browserOf(world.ada).logIn("git");
    expect(await world.ada.client.call(listTemplateVersionExternalAuth, ask)).toMatchObject([
      { ...git, authenticated: true },
      { id: "other", authenticated: false },
    ]);
    expect(await create()).toMatchObject({ name: "needy" });
  });

  it("is of no use where its provider is not configured", async () => {
    const missing = needy.replace("{ git: {}", "{ gone: {}");
    const templateId = await pushTemplate(world.server.admin, "missing", missing);
    const body = { name: "missing", template_id: templateId };
    const created = world.ada.client.call(createWorkspace, { params: { user: "me" }, body });
    await expect(created).rejects.toMatchObject({
      status: 404,
      body: { message: expect.stringMatching(/external auth provider "gone"/) },
    });
  });
});
