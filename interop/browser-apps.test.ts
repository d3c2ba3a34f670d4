import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  startServerProcess,
  testAdmin,
} from "@slipway/testkit";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type EchoApp, openEchoApp } from "./support/echo-app.ts";

/* Apps in a browser, at separate hosts and at the server's own origin. */

const opened = new AsyncDisposableStack();
let app: EchoApp;
let serverUrl = "";
let port = "";
let context: BrowserContext;

/** The page of the app, which reports its permissions. */
const page = `<!doctype html><title>The app</title><h1>The app</h1><script>
globalThis.echo = (text) => new Promise((resolve, reject) => {
  const socket = new WebSocket(location.href.replace("http", "ws"));
  socket.onopen = () => socket.send(text);
  socket.onmessage = ({ data }) => { resolve(data); socket.close(); };
  socket.onerror = () => reject(new Error("no WebSocket"));
});
globalThis.steal = async (url) => {
  try {
    const response = await fetch(url, { credentials: "include" });
    return [response.status, await response.text()];
  } catch (error) { return error.message; }
};
</script>`;

beforeAll(async () => {
  app = opened.use(
    await openEchoApp(page, {
      "Set-Cookie": ["own=1; Path=/; HttpOnly", "coder_session_token=x; Path=/"],
    }),
  );
  const directory = await mkdtemp(join(tmpdir(), "slipway-apps-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const environment = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test" };
  const server = await startServerProcess({ dataDir: directory, port: 0, environment });
  opened.defer(() => server.end("SIGINT"));
  serverUrl = server.url;
  ({ port } = new URL(serverUrl));
  const client = await logInAsAdmin(serverUrl);
  const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: "http://localhost:${app.port}", subdomain: true }
      other: { url: "http://localhost:${app.port}", subdomain: true }
`;
  const templateId = await pushTemplate(client, "apps", template);
  await makeWorkspace(client, "dev", templateId, ({ status }) => status === "connected");
  const browser = await chromium.launch({
    executablePath: process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium",
    // The sandbox does not work as root.
    args: ["--no-sandbox", "--host-resolver-rules=MAP *.apps.test 127.0.0.1"],
  });
  opened.defer(() => browser.close());
  context = await browser.newContext();
});

afterAll(() => opened.disposeAsync());

function appUrl(name: string): string {
  return `http://${name}--dev--admin.apps.test:${port}`;
}

describe("a browser", () => {
  it("logs in at the server, and comes back to the app that it wanted", async () => {
    const tab = await context.newPage();
    await tab.goto(`${appUrl("web")}/deep/page?a=b`);
    expect(new URL(tab.url()).origin).toBe(serverUrl);
    await tab.getByLabel("Email").fill(testAdmin.email);
    await tab.getByLabel("Password").fill("wrong");
    await tab.getByRole("button", { name: "Log in" }).click();
    await tab.getByRole("alert").getByText("Incorrect email or password.").waitFor();
    await tab.getByLabel("Password").fill(testAdmin.password);
    await tab.getByRole("button", { name: "Log in" }).click();
    await tab.getByRole("heading", { name: "The app" }).waitFor();
    expect(tab.url()).toBe(`${appUrl("web")}/deep/page?a=b`);
    expect(await tab.evaluate("echo('through')")).toBe("through");
    expect(await tab.evaluate("document.cookie")).toBe("");
    await tab.reload();
    // The app gets its own cookies and none of the server's.
    expect(app.seen.at(-1)?.cookie).toBe("own=1");
    await tab.close();
  });

  it("goes to another app without a question", async () => {
    const tab = await context.newPage();
    await tab.goto(`${appUrl("other")}/`);
    await tab.getByRole("heading", { name: "The app" }).waitFor();
    expect(tab.url()).toBe(`${appUrl("other")}/`);
    await tab.close();
  });

  it("keeps the page of an app from the API of the server", async () => {
    const tab = await context.newPage();
    await tab.goto(`${appUrl("web")}/`);
    const api = `steal(${JSON.stringify(`${serverUrl}/api/v2/users/me`)})`;
    expect(await tab.evaluate(api)).toBe("Failed to fetch");
    // The app's host has no API.
    expect(await tab.evaluate("steal('/api/v2/users/me')")).toEqual([200, page]);
    // Other apps of the same user are readable.
    expect(await tab.evaluate(`steal('${appUrl("other")}/')`)).toEqual([200, page]);
    await tab.close();
  });

  it("isolates an app at the server's origin from that origin", async () => {
    const tab = await context.newPage();
    await tab.goto(`${serverUrl}/@admin/dev/apps/web/`);
    await tab.getByRole("heading", { name: "The app" }).waitFor();
    expect(await tab.evaluate("self.origin")).toBe("null");
    expect(await tab.evaluate("steal('/api/v2/users/me')")).toBe("Failed to fetch");
    const names = (await context.cookies(serverUrl)).map(({ name }) => name);
    expect(names).toContain("coder_session_token");
    await tab.goto(`${serverUrl}/@admin/dev/apps/web/`);
    await tab.getByRole("heading", { name: "The app" }).waitFor();
    await tab.close();
  });

  it("shows a page for an app that is not there, by the keyboard and without scripts", async () => {
    const tab = await context.newPage();
    await tab.goto(`http://9999--main--dev--admin.apps.test:${port}/`);
    await tab.getByRole("heading", { name: "Port 9999 cannot be reached" }).waitFor();
    await tab.close();
  });
});
