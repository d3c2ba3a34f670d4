import { randomUUID } from "node:crypto";

import { updateAgentAppStatus } from "@slipway/api/agents/app-status-routes";
import { statFile } from "@slipway/api/agents/file-routes";
import { uploadFile } from "@slipway/api/files/routes";
import { login, getUser } from "@slipway/api/users/routes";
import { silentLogger } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { NotFound, Unauthenticated } from "../src/platform/errors/errors.ts";
import { Admissions } from "../src/platform/http/admission.ts";
import { type Authenticator, fullGrant } from "../src/platform/http/caller.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { RequestLimits } from "../src/platform/http/request-limits.ts";
import { Routes } from "../src/platform/http/routes.ts";

let app: Awaited<ReturnType<typeof createHttpServer>>;
let now = 0;
/** The number of user lookups. */
let identified = 0;

/**
 * Identifies callers by token: `owner…` and `agent…` are such callers, `bad` is invalid, and any other token is a
 * member's.
 */
const authenticator: Authenticator = {
  user: async (request) => {
    identified += 1;
    const token = String(request.headers["coder-session-token"]);
    if (token.startsWith("bad")) throw new Unauthenticated("signed out");
    const roles = token.startsWith("owner") ? ["owner"] : [];
    return { id: token, username: token, roles, keyId: "", grant: fullGrant };
  },
  userOrProxy: (request, route) => authenticator.user(request, route),
  agent: async (request) => {
    const agentId = String(request.headers["coder-session-token"]);
    const ids = { agentId, agentName: "", buildId: "", workspaceId: "", ownerId: "" };
    return { ...ids, authenticatedAt: "" };
  },
  allow: async () => {},
};

beforeEach(async () => {
  now = 60_000 * 1000;
  app = await createHttpServer("v0", silentLogger);
  const limits = new RequestLimits({ now: () => now });
  const routes = new Routes(app, new Admissions(authenticator, limits), silentLogger);
  routes.user(getUser, async () => never());
  routes.user(statFile, async () => never());
  routes.anyone(login, async () => ({ session_token: "" }));
  routes.userBytes(uploadFile, async () => ({ hash: randomUUID() }));
  routes.agent(updateAgentAppStatus, async () => never());
});

afterEach(() => app.close());

function never(): never {
  throw new NotFound("nothing here");
}

interface Call {
  readonly method?: "GET" | "POST" | "PATCH";
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

async function call(url: string, { method = "GET", token = "ann", ...rest }: Call = {}) {
  const response = await app.inject({
    method,
    url: `/api/v2${url}`,
    headers: { "coder-session-token": token, ...rest.headers },
    ...(rest.body === undefined ? {} : { payload: rest.body }),
  });
  const { statusCode: status, headers } = response;
  return { status, headers, text: response.body };
}

/** Resolves to the number of `count` calls that get through. */
async function passing(count: number, url: string, options: Call = {}): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => call(url, options)));
  return answers.filter(({ status }) => status !== 429).length;
}

describe("the rate limit", () => {
  it("lets 512 requests of a user to a path through in a minute, and says how many are left", async () => {
    expect((await call("/users/a")).headers).toMatchObject({
      "x-ratelimit-limit": "512",
      "x-ratelimit-remaining": "511",
      "x-ratelimit-reset": String(60 * 1001),
    });
    expect(await passing(600, "/users/a?q=1")).toBe(511);
    expect(await call("/users/a")).toMatchObject({
      status: 429,
      text: `{"message":"You've been rate limited for sending more than 512 requests in 1m0s."}\n`,
      headers: { "retry-after": "60", "x-ratelimit-remaining": "0" },
    });
    expect(await call("/users/b")).toMatchObject({ status: 404 });
    expect(await call("/users/a", { token: "bob" })).toMatchObject({ status: 404 });
    now += 120_000;
    expect(await call("/users/a")).toMatchObject({ status: 404 });
  });

  it("closes the connection of a caller over a limit, and identifies nobody for it", async () => {
    await passing(600, "/users/a");
    identified = 0;
    expect(await call("/users/a")).toMatchObject({ status: 429, headers: { connection: "close" } });
    expect(identified).toBe(0);
    expect(await call("/users/b")).toMatchObject({ status: 404 });
    now += 1_000;
    expect(await call("/users/a")).toMatchObject({ status: 429 });
    expect(identified).toBe(2);
  });

  it("looks up few tokens of an address that was refused too often, besides those that were accepted", async () => {
    await call("/users/a", { token: "ann" });
    await passing(600, "/users/a", { token: "bad" });
    identified = 0;
    for (let token = 0; token < 100; token += 1) await call("/users/a", { token: `bad ${token}` });
    expect(identified).toBeLessThanOrEqual(20);
    expect(await call("/users/a", { token: "ann" })).toMatchObject({ status: 404 });
  });

  it("counts those who ask for no limit and may not", async () => {
    const headers = { "x-coder-bypass-ratelimit": "true" };
    expect(await passing(600, "/users/a", { headers })).toBe(512);
  });

  it("lets fewer through where passwords are tried, and where files are sent", async () => {
    const body = { email: "a@b", password: "x" };
    expect(await passing(70, "/users/login", { method: "POST", body })).toBe(60);
    expect(await passing(20, "/files", { method: "POST" })).toBe(12);
  });

  it("lets 6,000 requests of a user to the files of an agent through", async () => {
    const url = `/workspaceagents/${randomUUID()}/files/stat?path=/x`;
    expect(await passing(6_001, url)).toBe(6_000);
    expect(await call(url)).toMatchObject({
      status: 429,
      text: `{"message":"You've been rate limited for sending more than 6000 requests in 1m0s."}\n`,
    });
  });

  it("counts by the route, however the URL is spelled", async () => {
    const body = { email: "a@b", password: "x" };
    const spellings = [
      "/users/login",
      "//users/login",
      "/users/login/",
      "/users/%6cogin",
      "/users//login?x=1",
    ];
    let passed = 0;
    for (const url of spellings) passed += await passing(40, url, { method: "POST", body });
    expect(passed).toBe(60);
  });

  it("counts strangers by the route alone, also where nothing is", async () => {
    let passed = 0;
    for (let at = 0; at < 6; at += 1)
      passed += await passing(100, `/users/${at}`, { token: "bad" });
    expect(passed).toBe(512);
    passed = 0;
    for (let at = 0; at < 6; at += 1) passed += await passing(100, `/nothing/${at}`);
    expect(passed).toBe(512);
  });

  it("knows a thing of a user by any spelling, and limits all things together", async () => {
    const id = randomUUID();
    const spellings = [
      id,
      id.toUpperCase(),
      id.replaceAll("-", ""),
      `urn:uuid:${id}`,
      `%7B${id}%7D`,
    ];
    let passed = 0;
    for (const spelling of spellings) passed += await passing(120, `/users/${spelling}`);
    expect(passed).toBe(512);
    passed = 0;
    for (let at = 0; at < 20; at += 1) passed += await passing(250, `/users/${at}`);
    expect(passed).toBe(8 * 512 - 5 * 120);
    expect((await call("/users/x")).text).toContain("more than 4096 requests");
    expect(await call("/users/x", { token: "bob" })).toMatchObject({ status: 404 });
  });

  it("counts refused callers by their address, and agents as themselves", async () => {
    expect(await passing(600, "/users/a", { token: "bad" })).toBe(512);
    expect(await call("/users/a", { token: "bad" })).toMatchObject({ status: 429 });
    expect(await call("/users/a")).toMatchObject({ status: 404 });
    const path = "/workspaceagents/me/app-status";
    const agent = { method: "PATCH", body: {} } as const;
    expect(await passing(600, path, { ...agent, token: "agent-1" })).toBe(512);
    expect(await passing(600, path, { ...agent, token: "agent-2" })).toBe(512);
  });

  it("is bypassed by an owner who asks for it, and by nobody else", async () => {
    const headers = { "X-Coder-Bypass-Ratelimit": "true" };
    expect(await passing(600, "/users/a", { token: "owner", headers })).toBe(600);
    expect(await call("/users/a", { headers })).toMatchObject({ status: 428 });
    expect(await passing(600, "/users/a", { token: "owner" })).toBe(512);
  });
});
