import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

import { type Dashboard, openDashboard } from "./support/dashboard.ts";

/* The files of the dashboard as the server sends them, and how much of them a page needs. */

const site = fileURLToPath(new URL("../dist/site", import.meta.url));
/** The maximum size of the scripts of a page before it opens a terminal, compressed by gzip. */
const maxScriptBytes = 150 * 1024;

let dashboard: Dashboard;
let page = "";

beforeAll(async () => {
  dashboard = await openDashboard();
  page = await readFile(`${site}/index.html`, "utf8");
});
afterAll(() => dashboard[Symbol.asyncDispose]());

function request(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${dashboard.server.url}${path}`, { headers, redirect: "manual" });
}

function scriptOfPage(): string {
  return /<script type="module" [^>]*src="(?<path>[^"]*)"/.exec(page)?.groups?.["path"] ?? "";
}

describe("the server", () => {
  it.each([
    ["br", "br"],
    ["gzip, deflate", "gzip"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["identity", null],
  ])("answers a browser that takes %j with %j", async (accepted, coding) => {
    const path = scriptOfPage();
    const answer = await request(path, { "Accept-Encoding": accepted });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-encoding")).toBe(coding);
    expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await answer.text()).toBe(await readFile(`${site}${path}`, "utf8"));
  });

  it("lets the page be asked for again each time, without sending it again", async () => {
    const first = await request("/workspaces");
    expect(first.headers.get("cache-control")).toBe("no-cache");
    const tag = first.headers.get("etag") ?? "";
    expect((await request("/workspaces", { "If-None-Match": tag })).status).toBe(304);
    expect((await request("/health", { "If-None-Match": '"other"' })).status).toBe(200);
  });

  it("still tells programs who it is", async () => {
    const answer = await request("/", { Accept: "application/json" });
    expect(await answer.json()).toMatchObject({ name: "Slipway" });
  });

  it.each([
    "/assets/none.js",
    "/assets/..%2findex.html",
    "/assets/%2e%2e/index.html",
    "/assets/index.html",
    "/assets/",
    "/index.html",
    "/src/main.tsx",
  ])("has nothing at %s", async (path) => {
    expect((await request(path)).status).toBe(404);
  });

  it("refuses forms and sockets of other sites", async () => {
    const { headers } = dashboard.admin;
    const cookie = `coder_session_token=${headers["Coder-Session-Token"] ?? ""}`;
    const own = { Cookie: cookie, "Content-Type": "application/json" };
    const change = (origin: string): Promise<Response> =>
      fetch(`${dashboard.server.url}/api/v2/users/me/keys`, {
        method: "POST",
        headers: { ...own, Origin: origin },
      });
    expect((await change("https://elsewhere.example")).status).toBe(403);
    expect((await change("null")).status).toBe(403);
    expect((await change(dashboard.server.url)).status).toBe(201);
    const watch = (origin: string): Promise<number> => {
      const url = `${dashboard.server.url.replace("http", "ws")}/api/v2/notifications/inbox/watch`;
      const socket = new WebSocket(url, { headers: { Cookie: cookie, Origin: origin } });
      return new Promise((resolve) => {
        socket.on("open", () => {
          socket.close();
          resolve(101);
        });
        socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
        socket.on("error", () => undefined);
      });
    };
    expect(await watch("https://elsewhere.example")).toBe(403);
    expect(await watch(dashboard.server.url)).toBe(101);
  });
});

it.each(["/login", "/workspaces", "/settings/account"])(
  "needs few scripts for %s",
  async (path) => {
    const { page: opened } = await (path === "/login"
      ? dashboard.openPage()
      : dashboard.openAdminPage());
    await opened.goto(path, { waitUntil: "networkidle" });
    await opened.getByRole("heading").first().waitFor();
    // Those of this page, not of one that it was led to after the log-in.
    const scripts = await opened.evaluate<string[]>(`
      performance.getEntriesByType("resource")
        .map(({ name }) => new URL(name).pathname)
        .filter((name) => name.endsWith(".js"))`);
    const sizes = await Promise.all(
      [...new Set(scripts)].map(async (one) => (await stat(`${site}${one}.gz`)).size),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(maxScriptBytes);
  },
);
