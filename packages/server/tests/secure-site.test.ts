import { testAdmin } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  const environment = { SLIPWAY_TRUSTED_PROXIES: "127.0.0.1" };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
});
afterAll(() => opened.disposeAsync());

/** The headers that a TLS proxy adds for a visitor. */
const proxied = { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "slipway.example" };

function logIn(headers: Readonly<Record<string, string>>): Promise<Response> {
  const url = `${server.url}/api/v2/users/login`;
  return fetch(url, { method: "POST", headers, body: JSON.stringify(testAdmin) });
}

const cookieOf = ({ headers }: Response): string => headers.get("set-cookie") ?? "";

describe("behind a trusted proxy that speaks https", () => {
  it("every cookie is for https only, from its first day to its last", async () => {
    const answer = await logIn(proxied);
    expect(cookieOf(answer)).toMatch(
      /^__Host-coder_session_token=.+; HttpOnly; Secure; SameSite=Lax$/,
    );
    const cookie = cookieOf(answer).split(";")[0] ?? "";
    const out = await fetch(`${server.url}/api/v2/users/logout`, {
      method: "POST",
      headers: { ...proxied, cookie },
    });
    expect(cookieOf(out)).toBe(
      "__Host-coder_session_token=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
    );
    const form = await fetch(`${server.url}/cli-auth`, { headers: proxied });
    expect(cookieOf(form)).toMatch(/; Secure; SameSite=Strict$/);
    expect(cookieOf(await logIn({}))).toMatch(/^coder_session_token=.+; HttpOnly; SameSite=Lax$/);
  });

  it("the session of a browser counts by that name only", async () => {
    const token = server.admin.headers["Coder-Session-Token"] ?? "";
    const statusOf = async (cookie: string, headers: Record<string, string>): Promise<number> => {
      const url = `${server.url}/api/v2/users/me`;
      return (await fetch(url, { headers: { ...proxied, ...headers, cookie } })).status;
    };
    const browser = { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)" };
    expect(await statusOf(`coder_session_token=${token}`, browser)).toBe(401);
    expect(await statusOf(`__Host-coder_session_token=${token}`, browser)).toBe(200);
    const both = `coder_session_token=tossed; __Host-coder_session_token=${token}`;
    expect(await statusOf(both, browser)).toBe(200);
  });

  it("a page of the same host by http is of another site", async () => {
    expect((await logIn({ ...proxied, Origin: "https://slipway.example" })).status).toBe(201);
    expect((await logIn({ ...proxied, Origin: "http://slipway.example" })).status).toBe(403);
  });
});
