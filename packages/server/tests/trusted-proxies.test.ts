import { randomUUID } from "node:crypto";

import { getUser, login, updateProfile } from "@slipway/api/users/routes";
import { silentLogger } from "@slipway/runtime";
import { afterEach, describe, expect, it } from "vitest";

import { Unauthenticated } from "../src/platform/errors/errors.ts";
import { Admissions } from "../src/platform/http/admission.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { RequestLimits } from "../src/platform/http/request-limits.ts";
import { originOf } from "../src/platform/http/request-origin.ts";
import { Routes } from "../src/platform/http/routes.ts";

let app: Awaited<ReturnType<typeof createHttpServer>> | undefined;
afterEach(() => app?.close());

/** Opens a listener that responds to a login with the client's address. */
async function open(trustedProxies: readonly string[]): Promise<string> {
  const signedOut = async (): Promise<never> => {
    throw new Unauthenticated("signed out");
  };
  app = await createHttpServer("v0", silentLogger, { trustedProxies });
  const authenticator = {
    user: async () => ({
      id: randomUUID(),
      username: "ann",
      roles: [],
      keyId: "",
      grant: fullGrant,
    }),
    userOrProxy: signedOut,
    agent: signedOut,
    allow: async () => {},
  };
  const limits = new RequestLimits({ now: () => 60_000 });
  const routes = new Routes(app, new Admissions(authenticator, limits), silentLogger);
  routes.anyone(login, async ({ raw }) => ({ session_token: originOf(raw, 201).ip }));
  routes.user(getUser, async () => signedOut());
  routes.user(updateProfile, async () => signedOut());
  return app.listen({ host: "127.0.0.1", port: 0 });
}

async function addressAt(url: string, forwarded: string): Promise<unknown> {
  const response = await fetch(`${url}/api/v2/users/login`, {
    method: "POST",
    headers: { "X-Forwarded-For": forwarded },
    body: JSON.stringify({ email: "a@b", password: "x" }),
  });
  expect(response.status).toBe(201);
  return response.json();
}

describe("a client's address", () => {
  it("is that of the connection where no proxy is trusted", async () => {
    const url = await open([]);
    expect(await addressAt(url, "203.0.113.7")).toEqual({ session_token: "127.0.0.1" });
  });

  it("is that of the connection where other proxies are trusted", async () => {
    const url = await open(["10.0.0.0/8", "fd00::/8"]);
    expect(await addressAt(url, "203.0.113.7")).toEqual({ session_token: "127.0.0.1" });
  });

  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8::1", "2001:db8::1"],
    ["198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"],
    ["198.51.100.1,::ffff:203.0.113.7", "203.0.113.7"],
    ["", "127.0.0.1"],
    ["nonsense", "127.0.0.1"],
    ["10.1.2.3", "10.1.2.3"],
  ])("is told by trusted proxies: %s", async (forwarded, expected) => {
    const url = await open(["127.0.0.0/8", "10.0.0.0/8"]);
    expect(await addressAt(url, forwarded)).toEqual({ session_token: expected });
  });

  it("counts: each has attempts of its own behind one proxy, and none by a made-up header", async () => {
    const attempts = async (url: string, count: number): Promise<number> => {
      const answers = await Promise.all(
        Array.from({ length: count }, (_, index) =>
          fetch(`${url}/api/v2/users/login`, {
            method: "POST",
            headers: { "X-Forwarded-For": `203.0.113.${index + 1}` },
            body: JSON.stringify({ email: "a@b", password: "x" }),
          }),
        ),
      );
      return answers.filter(({ status }) => status !== 429).length;
    };
    expect(await attempts(await open(["127.0.0.1"]), 70)).toBe(70);
    await app?.close();
    expect(await attempts(await open([]), 70)).toBe(60);
  });
});

describe("a page of the same site", () => {
  it("is known by the host that a trusted proxy was asked for", async () => {
    const change = async (url: string): Promise<number> => {
      const headers = {
        Origin: "https://slipway.example",
        "X-Forwarded-Host": "slipway.example",
        "X-Forwarded-Proto": "https",
      };
      const body = JSON.stringify({ username: "ann" });
      const path = `${url}/api/v2/users/me/profile`;
      return (await fetch(path, { method: "PUT", headers, body })).status;
    };
    expect(await change(await open(["127.0.0.1"]))).toBe(401);
    await app?.close();
    expect(await change(await open([]))).toBe(403);
  });
});
