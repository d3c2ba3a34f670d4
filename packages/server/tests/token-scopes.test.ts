import { randomUUID } from "node:crypto";

import { contract } from "@slipway/api/contract";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { Route } from "@slipway/api/contract/route";
import { routePath, routesOf } from "@slipway/api/contract/route";
import { getTemplate } from "@slipway/api/templates/routes";
import { getUser } from "@slipway/api/users/routes";
import { openClient, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import type { Client } from "./support/people.ts";

const routes = routesOf(contract).filter(({ route }) => route.caller === "user");
const tokens = "/users/me/keys/tokens";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;
let ann: Pick<Client, "headers">;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
  ann = { headers: world.callers.member };
});

afterAll(() => opened.disposeAsync());

/** Creates a token, with another token or session; resolves to a status if the creation fails. */
async function newToken(
  body: object,
  by: Pick<Client, "headers"> = ann,
): Promise<{ readonly status: number; readonly client: Client; readonly body: unknown }> {
  const answer = await server.request("POST", tokens, body, by);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of that route
  const { key } = answer.body as { readonly key: string };
  return { status: answer.status, client: openClient(server.url, key), body: answer.body };
}

/** Resolves to true if a token allows a route for Ann's resources; the route's other responses do not matter. */
async function opens(route: Route, client: Pick<Client, "headers">): Promise<boolean> {
  const run = randomUUID();
  const names = { name: "x", number: "1", key: "x", devcontainer: "x", provider: "x", run };
  const params = { ...world.ids, ...names, notification: nilUuid };
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/api/v2${routePath(route, params)}`, {
    method: route.method,
    headers: client.headers,
    body: route.method === "GET" ? null : "{}",
    signal: leaving.signal,
  });
  const isRefused = response.headers.get("www-authenticate")?.includes("insufficient_scope");
  leaving.abort();
  return isRefused !== true;
}

async function openedBy(client: Pick<Client, "headers">): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, route } of routes) if (await opens(route, client)) names.push(name);
  return names;
}

const reading = [
  "callMcp",
  "getAgent",
  "getAgentLogs",
  "getAgentStartupLogs",
  "getBuild",
  "getBuildByNumber",
  "getBuildLogs",
  "getBuildTimings",
  "getContainers",
  "getListeningPorts",
  "getWorkspace",
  "getWorkspaceByName",
  "getWorkspaceTimings",
  "listBuildParameters",
  "listBuildResources",
  "listBuilds",
  "listConnectionPaths",
  "listPortShares",
  "listWorkspaceConnections",
  "listWorkspaces",
  "resolveAutostart",
  "watchAgentMetadata",
  "watchAgentMetadataSocket",
  "watchContainers",
  "watchWorkspace",
  "watchWorkspaceSocket",
  "watchWorkspaces",
];

const reachingInto = [
  "attachRun",
  "coordinateAgent",
  "editFile",
  "getAgentConnection",
  "getConnection",
  "getKeptRunOutput",
  "getRun",
  "getRunOutput",
  "getSshConfig",
  "joinTailnet",
  "listFiles",
  "listKeptRuns",
  "listRegions",
  "listRuns",
  "makeDirectory",
  "moveFile",
  "openTerminal",
  "readArchive",
  "readFile",
  "removeFile",
  "reportWorkspaceUsage",
  "searchFiles",
  "signalRun",
  "startRun",
  "statFile",
  "watchFiles",
  "writeArchive",
  "writeFile",
  "writeRunInput",
];

/** The routes that tokens with these scopes allow, by their exported names. */
const table: Readonly<Record<string, readonly string[]>> = {
  "workspace:read": reading,
  "workspace:ssh": reachingInto,
  "coder:workspaces.access": [...reading, ...reachingInto],
  "workspace:start": ["createBuild"],
  "api_key:read": ["getKey", "getTokenByName", "getTokenConfig", "listSessions", "listTokens"],
  "user:read": ["getMember", "getUser", "getUserRoles", "listMembers", "listRoles", "listUsers"],
  "file:create": ["uploadFile"],
  "task:read": [],
  "user_secret:*": ["getExternalAgentCredentials"],
  "user:update_personal": [
    "createExternalAuthDevice",
    "deleteExternalAuth",
    "redeemExternalAuthDevice",
    "regenerateGitKey",
    "updateProfile",
  ],
  "workspace:update": [
    "cancelBuild",
    "deleteDevcontainer",
    "extendWorkspace",
    "favoriteWorkspace",
    "recreateDevcontainer",
    "renameWorkspace",
    "revokeExternalAgentTokens",
    "sharePort",
    "unfavoriteWorkspace",
    "unsharePort",
    "updateAutomaticUpdates",
    "updateAutostart",
    "updateDormancy",
    "updateTtl",
  ],
  "coder:application_connect": [],
};

describe("a token that is limited to scopes", () => {
  it.each(Object.entries(table))(
    "of %s opens what it says and nothing else",
    async (scope, names) => {
      const { status, client } = await newToken({ scopes: [scope] });
      expect(status).toBe(201);
      expect(await openedBy(client)).toEqual([...names].toSorted((a, b) => (a < b ? -1 : 1)));
    },
  );

  it("of coder:all opens everything", async () => {
    const { client } = await newToken({ scopes: ["coder:all"] });
    const last = routes.filter(({ name }) => name !== "logout").slice(-5);
    for (const { route } of last) expect(await opens(route, client)).toBe(true);
  });

  it("is shown with them", async () => {
    const scopes = ["workspace:read", "template:*"];
    await newToken({ token_name: "shown", scopes, allow_list: ["workspace:*"] });
    expect(await server.request("GET", `${tokens}/shown`, undefined, ann)).toMatchObject({
      body: { scope: "", scopes, allow_list: ["workspace:*"] },
    });
  });

  it("is told what it lacks, also where only the body says it", async () => {
    const { client } = await newToken({ scopes: ["workspace:start"] });
    const path = `/workspaces/${world.ids["workspace"]}/builds`;
    const stop = await server.request("POST", path, { transition: "stop" }, client);
    expect(stop).toMatchObject({
      status: 403,
      body: {
        message: "Forbidden.",
        detail:
          "This token is limited to workspace:start, but this request requires workspace:stop.",
      },
    });
    expect(await server.request("GET", "/audit", undefined, client)).toMatchObject({
      status: 403,
      body: {
        detail: "This token is limited to workspace:start, but this request requires coder:all.",
      },
    });
  });

  it("makes no token or session that opens more", async () => {
    const { client } = await newToken({ scopes: ["api_key:create", "workspace:read"] });
    expect(await newToken({}, client)).toMatchObject({ status: 403 });
    expect(await newToken({ scopes: ["workspace:ssh"] }, client)).toMatchObject({ status: 403 });
    const session = await server.request("POST", "/users/me/keys", undefined, client);
    expect(session).toMatchObject({ status: 201 });
    const key = String(Reflect.get(Object(session.body), "key"));
    const same = { headers: { "Coder-Session-Token": key } };
    expect(await server.request("GET", "/users/me", undefined, same)).toMatchObject({
      status: 403,
    });
    expect(await server.request("GET", "/workspaces", undefined, same)).toMatchObject({
      status: 200,
    });
    expect(await newToken({ scopes: ["workspace:read"] }, client)).toMatchObject({ status: 201 });
  });
});

describe("a token with an allow list", () => {
  it("opens the workspace that it names, by whatever of it, and no other and no list", async () => {
    const id = world.ids["workspace"] ?? "";
    const other = await world.newWorkspace();
    const { client } = await newToken({ allow_list: [`workspace:${id}`] });
    const statusOf = async (path: string): Promise<number> =>
      (await server.request("GET", path, undefined, client)).status;
    for (const path of [
      `/workspaces/${id}`,
      "/users/me/workspace/dev",
      "/users/ann/workspace/dev",
      `/workspacebuilds/${world.ids["build"]}`,
      `/workspaceagents/${world.ids["agent"]}`,
      "/deployment/ssh",
    ]) {
      expect([path, await statusOf(path)]).toEqual([path, 200]);
    }
    for (const path of [
      `/workspaces/${other.id}`,
      `/users/me/workspace/${other.name}`,
      `/workspacebuilds/${other.latest_build.id}`,
      "/workspaces",
      "/users/me",
      "/templates",
      `/templates?template_id=${world.ids["template"]}`,
      `/workspaces?workspace=${id}`,
      "/notifications/inbox",
    ]) {
      expect([path, await statusOf(path)]).toEqual([path, 403]);
    }
    expect(await newToken({}, client)).toMatchObject({ status: 403 });
  });

  it("opens all of a type", async () => {
    const { client } = await newToken({ scopes: ["workspace:read"], allow_list: ["workspace:*"] });
    expect(await server.request("GET", "/workspaces", undefined, client)).toMatchObject({
      status: 200,
    });
  });

  describe("opens what a body names only if it has that too", () => {
    const wide = "workspace:*";
    const own = () => `template:${world.ids["template"]}`;
    let other: { readonly template: string; readonly version: string };

    beforeAll(async () => {
      const template = await pushTemplate(
        server.admin,
        "another",
        "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n",
      );
      const { active_version_id: version } = await server.admin.call(getTemplate, {
        params: { template },
      });
      other = { template, version };
    });

    const create = async (client: Client, body: object): Promise<number> => {
      const name = `made-${randomUUID().slice(0, 8)}`;
      const path = "/users/me/workspaces";
      return (await server.request("POST", path, { name, ...body }, client)).status;
    };

    it("of a new workspace, its template, version and preset", async () => {
      const { client } = await newToken({ allow_list: [wide, own()] });
      expect(await create(client, { template_id: world.ids["template"] })).toBe(201);
      expect(await create(client, { template_id: other.template })).toBe(403);
      expect(await create(client, { template_version_id: other.version })).toBe(403);
      const both = { template_id: world.ids["template"], template_version_id: other.version };
      expect(await create(client, both)).toBe(403);
      const preset = {
        template_id: world.ids["template"],
        template_version_preset_id: randomUUID(),
      };
      expect(await create(client, preset)).toBe(403);
    });

    it("of a new workspace, also that there be one", async () => {
      const id = world.ids["workspace"];
      const { client } = await newToken({ allow_list: [`workspace:${id}`, own()] });
      expect(await create(client, { template_id: world.ids["template"] })).toBe(403);
    });

    it("of a build, its version", async () => {
      const id = world.ids["workspace"];
      const { client } = await newToken({ allow_list: [`workspace:${id}`] });
      const build = async (body: object): Promise<number> =>
        (await server.request("POST", `/workspaces/${id}/builds`, body, client)).status;
      const start = { transition: "start" };
      expect(await build({ ...start, template_version_id: world.ids["version"] })).toBe(403);
      expect(await build({ ...start, template_version_preset_id: randomUUID() })).toBe(403);
    });

    it("of a version of a template, its file, and of a template, its version", async () => {
      const list = { allow_list: [`template:${other.template}`] };
      const { client } = await newToken(list, server.admin);
      const version = async (body: object): Promise<number> =>
        (await server.request("POST", "/organizations/default/templateversions", body, client))
          .status;
      const template_id = other.template;
      expect(await version({ template_id, example_id: "nothing" })).toBe(400);
      expect(await version({ template_id, file_id: randomUUID() })).toBe(403);
      expect(await version({ example_id: "nothing" })).toBe(403);
      expect(await version({ template_id: world.ids["template"], example_id: "x" })).toBe(403);
      const path = `/templates/${other.template}/versions`;
      const activate = async (id: unknown): Promise<number> =>
        (await server.request("PATCH", path, { id }, client)).status;
      expect(await activate(other.version)).toBe(200);
      expect(await activate(world.ids["version"])).toBe(403);
      const diff = `/templateversions/${other.version}/diff`;
      const from = async (id: unknown): Promise<number> =>
        (await server.request("GET", `${diff}?from=${String(id)}`, undefined, client)).status;
      expect(await from(other.version)).toBe(200);
      expect(await from(world.ids["version"])).toBe(403);
    });

    it("of a path with names, the template that has them", async () => {
      const list = { allow_list: [`template:${other.template}`] };
      const { client } = await newToken(list, server.admin);
      const get = async (path: string): Promise<number> =>
        (await server.request("GET", `/organizations/default/templates/${path}`, undefined, client))
          .status;
      expect(await get("another")).toBe(200);
      expect(await get("demo")).toBe(403);
      expect(await get("nowhere")).toBe(403);
    });

    it("of another user's workspaces, that user", async () => {
      const allow_list = [wide, `template:${other.template}`];
      const { client } = await newToken({ allow_list }, server.admin);
      const body = { name: "for-ann", template_id: other.template };
      const createFor = (by: Client) => server.request("POST", "/users/ann/workspaces", body, by);
      expect(await createFor(client)).toMatchObject({ status: 403 });
      const { id } = await server.admin.call(getUser, { params: { user: "ann" } });
      const { client: wider } = await newToken(
        { allow_list: [...allow_list, `user:${id}`] },
        server.admin,
      );
      expect(await createFor(wider)).toMatchObject({ status: 201 });
    });
  });

  it("reads the token of an agent only with the scope of secrets", async () => {
    const id = world.ids["workspace"];
    const path = `/workspaces/${id}/external-agent/main/credentials`;
    const read = async (body: object): Promise<number> => {
      const { client } = await newToken(body);
      return (await server.request("GET", path, undefined, client)).status;
    };
    expect(await read({ scopes: ["workspace:*"] })).toBe(403);
    expect(await read({ allow_list: [`workspace:${id}`] })).toBe(403);
    const scopes = ["user_secret:read"];
    expect(await read({ scopes, allow_list: ["user_secret:*", `workspace:${id}`] })).toBe(200);
    expect(await read({ scopes, allow_list: ["user_secret:*"] })).toBe(403);
  });

  it.each([
    "workspace",
    "workspace:1",
    "coder:*",
    "nothing:*",
    "*:11111111-1111-4111-8111-111111111111",
  ])("is refused with %s", async (entry) => {
    const answer = await newToken({ allow_list: [entry] });
    expect(answer).toMatchObject({
      status: 400,
      body: { validations: [{ field: "allow_list.0" }] },
    });
  });
});
