import { spawnSync } from "node:child_process";
import { once } from "node:events";
import http from "node:http";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { knownProviderTypes, providerDefaults } from "../src/platform/config/known-providers.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
});
afterAll(() => opened.disposeAsync());

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers });

/** Sends a request with any `Host`, which `fetch` refuses to. */
async function rawGet(path: string, host: string): Promise<{ status: number; body: string }> {
  const request = http.get(`${server.url}${path}`, { headers: { Host: host } });
  const [response] = await once(request, "response");
  if (!(response instanceof http.IncomingMessage)) throw new TypeError("no response");
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

describe("a page outside the API", () => {
  /** The public pages, which are the same for everyone. */
  const pages = ["/", "/install.sh", "/cli-auth", "/icon/code.svg"];

  it.each(pages)("%s is the same for nobody, a member and an owner", async (path) => {
    const { client } = await addPerson(server, `u${pages.indexOf(path)}`);
    // Except the form's token, which is new each time.
    const seen = async (headers: Readonly<Record<string, string>>) => {
      const response = await get(path, headers);
      const text = (await response.text()).replace(/name="form_token" value="[^"]*"/, "");
      return { status: response.status, text };
    };
    const nobody = await seen({});
    expect(nobody.status).toBe(200);
    expect(await seen(client.headers)).toEqual(nobody);
    expect(await seen(server.admin.headers)).toEqual(nobody);
  });

  it.each(pages)("%s loads nothing from elsewhere and runs nothing", async (path) => {
    const response = await get(path);
    const policy = response.headers.get("content-security-policy") ?? "default-src 'none'";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("script-src");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it.each(pages)("%s is limited by address", async (path) => {
    const answer = await get(path);
    expect(answer.headers.get("x-ratelimit-limit")).toBe("512");
  });
});

describe("/icon", () => {
  const named = [
    ...knownProviderTypes.map((type) => providerDefaults(type, undefined).displayIcon),
    "/icon/code.svg",
    "/icon/terminal.svg",
  ];

  it.each(named)("has %s, which providers and starters name", async (path) => {
    const response = await get(path);
    expect(response.headers.get("content-type")).toContain("image/svg+xml");
    expect(await response.text()).toMatch(/^<svg [^]*<\/svg>\n$/);
  });

  it.each(["none.svg", "constructor", "..%2Fcode.svg", "code.svg/more"])(
    "has no %s",
    async (name) => {
      expect((await get(`/icon/${name}`)).status).toBe(404);
    },
  );
});

describe("/", () => {
  it("says which server this is, and leads to what is there", async () => {
    const response = await get("/");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const html = await response.text();
    expect(html).toContain("version 0.1.0");
    const links = Array.from(html.matchAll(/href="(\/[^"]*)"/g), ([, path]) => path ?? "");
    expect(links).toEqual(["/cli-auth", "/docs", "/api/v2/docs"]);
    for (const path of links) expect((await get(path)).status).toBe(200);
  });

  it("is JSON for programs that ask for that", async () => {
    const response = await get("/", { Accept: "application/json" });
    expect(await response.json()).toEqual({
      name: "Slipway",
      version: "0.1.0",
      log_in_url: `${server.url}/cli-auth`,
      documentation_url: `${server.url}/docs`,
      api_url: `${server.url}/api/v2/docs`,
    });
    expect(
      (await get("/", { Accept: "text/html,application/json" })).headers.get("content-type"),
    ).toBe("text/html; charset=utf-8");
  });
});

it("/install.sh says how to install the command, fails, and changes nothing", async () => {
  const script = await (await get("/install.sh")).text();
  const { status, stdout, stderr } = spawnSync("sh", ["-s", "--", "--version", "2.37.0"], {
    input: script,
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("Nothing was installed");
  expect(stderr).toContain("npm install --global ./packages/cli");
  expect(stderr).toContain(`slipway login ${server.url}`);
});

describe("the documentation", () => {
  const read = (path: string): Promise<Response> => get(path, { ...server.admin.headers });

  it("is for users: others are led to log in, and back", async () => {
    for (const headers of [{}, { Cookie: "coder_session_token=no" }]) {
      const response = await fetch(`${server.url}/docs/configuration?x=1`, {
        headers,
        redirect: "manual",
      });
      expect(response.status).toBe(303);
      expect(response.headers.get("location")).toBe("/login?redirect=%2Fdocs%2Fconfiguration");
    }
  });

  it("is the release's own, as pages without scripts", async () => {
    expect(await (await read("/docs")).text()).toContain('<a href="/docs/configuration">');
    for (const path of ["/docs/configuration", "/docs/configuration.md"]) {
      const page = await read(path);
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(page.headers.get("cache-control")).toContain("private");
      const text = await page.text();
      expect(text).toContain('<h1 id="configuration">Configuration</h1>');
      expect(text).not.toContain("<script");
    }
  });

  it("has links that lead somewhere, to pages and to their sections", async () => {
    const list = await (await read("/docs")).text();
    const paths = [...list.matchAll(/href="(\/docs\/[^"]+)"/g)].map(([, path = ""]) => path);
    const pages = new Map<string, string>();
    for (const path of paths) pages.set(path, await (await read(path)).text());
    const dead: string[] = [];
    for (const [path, text] of pages) {
      for (const [, href = ""] of text.matchAll(/href="((?:\/docs\/|#)[^"]*)"/g)) {
        const [target = "", anchor] = href.split("#");
        const page = pages.get(target === "" ? path : target);
        const hasAnchor = anchor === undefined || page?.includes(`id="${anchor}"`) === true;
        if (page === undefined || !hasAnchor) dead.push(`${path}: ${href}`);
      }
    }
    expect(pages.size).toBeGreaterThan(15);
    expect(dead).toEqual([]);
  });

  it.each([
    "/docs/admin/templates/troubleshooting",
    "/docs/..%2fpackage.json",
    "/docs/%2e%2e%2fREADME.md",
    "/docs/start.svg",
  ])("shows its list at %s", async (path) => {
    const response = await read(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<h1>Documentation</h1>");
  });
});

describe("a server without a configured URL", () => {
  it("has its scripts lead back to where they were asked for", async () => {
    const response = await fetch(`http://localhost:${new URL(server.url).port}/install.sh`);
    expect(await response.text()).toContain(`http://localhost:${new URL(server.url).port}`);
    expect(response.headers.get("cache-control")).toContain("private");
    expect(response.headers.get("vary")).toContain("Host");
  });

  it("leads nowhere else for a host that is none, and keeps its own URL in everything that is stored or redirects", async () => {
    const { status, body } = await rawGet("/install.sh", "evil.example/$(reboot)");
    expect([status, body.includes("evil.example")]).not.toEqual([200, true]);
    const info = await rawGet("/api/v2/buildinfo", "evil.example");
    expect(info.body).not.toContain("evil.example");
  });
});

it("no address that clients are told of is a dead link", async () => {
  const { body } = await server.request("GET", "/buildinfo");
  expect(body).toMatchObject({ external_url: server.url, dashboard_url: server.url });
  const appearance = await server.request("GET", "/appearance");
  expect(appearance.body).toMatchObject({ docs_url: `${server.url}/docs` });
  const update = await server.request("GET", "/updatecheck");
  expect(update.body).toMatchObject({ url: server.url });
});
