import * as api from "@slipway/api";
import { openClient } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { scopedRoutes } from "../src/auth/route-scopes.ts";
import { openWorld, type World } from "./support/authorisation-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import type { Client } from "./support/people.ts";

const routes = api.routesOf(api).filter(({ route }) => route.caller === "user");
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

/** A new token, by another token or session; a status where there is none. */
async function newToken(
  body: object,
  by: Pick<Client, "headers"> = ann,
): Promise<{ readonly status: number; readonly client: Client; readonly body: unknown }> {
  const answer = await server.request("POST", tokens, body, by);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of that route
  const { key } = answer.body as { readonly key: string };
  return { status: answer.status, client: openClient(server.url, key), body: answer.body };
}

/** Whether a token opens a route for Ann's things; what else the route says of the request does not matter. */
async function opens(route: api.Route, client: Pick<Client, "headers">): Promise<boolean> {
  const params = { ...world.ids, name: "x", number: "1", key: "x", devcontainer: "x" };
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/api/v2${api.routePath(route, params)}`, {
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
  "listWorkspaces",
  "resolveAutostart",
  "watchAgentMetadata",
  "watchAgentMetadataSocket",
  "watchContainers",
  "watchWorkspace",
  "watchWorkspaceSocket",
];

const reachingInto = [
  "coordinateAgent",
  "getAgentConnection",
  "getConnection",
  "getSshConfig",
  "joinTailnet",
  "listRegions",
  "openTerminal",
  "reportWorkspaceUsage",
];

/** What tokens of these scopes open, by the names that the contract exports routes by. */
const table: Readonly<Record<string, readonly string[]>> = {
  "workspace:read": reading,
  "workspace:ssh": reachingInto,
  "coder:workspaces.access": [...reading, ...reachingInto],
  "workspace:start": ["createBuild"],
  "api_key:read": ["getKey", "getTokenByName", "getTokenConfig", "listTokens"],
  "user:read": ["getMember", "getUser", "getUserRoles", "listMembers", "listRoles", "listUsers"],
  "file:create": ["uploadFile"],
  "task:read": [],
  "user_secret:*": [],
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
        detail: "This token is limited to workspace:start; this takes workspace:stop.",
      },
    });
    expect(await server.request("GET", "/audit", undefined, client)).toMatchObject({
      status: 403,
      body: { detail: "This token is limited to workspace:start; this takes coder:all." },
    });
  });

  it("makes no token or session that opens more", async () => {
    const { client } = await newToken({ scopes: ["api_key:create", "workspace:read"] });
    expect(await newToken({}, client)).toMatchObject({ status: 403 });
    expect(await newToken({ scopes: ["workspace:ssh"] }, client)).toMatchObject({ status: 403 });
    const session = await server.request("POST", "/users/me/keys", undefined, client);
    expect(session).toMatchObject({ status: 403 });
    expect(await newToken({ scopes: ["workspace:read"] }, client)).toMatchObject({ status: 201 });
  });

  it("names routes that there are", () => {
    const known = new Set(routes.map(({ route }) => `${route.method} ${route.path}`));
    expect(scopedRoutes.filter((route) => !known.has(route))).toEqual([]);
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
