import { spawnSync } from "node:child_process";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

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

describe("a page outside the API", () => {
  /** The public pages, which are the same for everybody. */
  const pages = ["/", "/install.sh", "/docs", "/docs/configuration.md", "/cli-auth"];

  it.each(pages)("%s is the same for nobody, a member and an owner", async (path) => {
    const { client } = await addPerson(server, `u${pages.indexOf(path)}`);
    // Except the token of the form, which is new each time.
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
  it("is the release's own, as text", async () => {
    const list = await (await get("/docs")).text();
    expect(list).toContain('<a href="/docs/configuration.md">configuration</a>');
    const page = await get("/docs/configuration.md");
    expect(page.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await page.text()).toContain("# Configuration");
  });

  it.each([
    "/docs/admin/templates/troubleshooting",
    "/docs/..%2fpackage.json",
    "/docs/%2e%2e%2fREADME.md",
    "/docs/start.svg",
  ])("shows its list at %s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<h1>Documentation</h1>");
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
