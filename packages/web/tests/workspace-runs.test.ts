import { startRun } from "@slipway/api/agents/run-routes";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";

/* The runs of a workspace, with a real agent. */

const template = "driver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";
const markup = String.raw`<img src=x onerror=alert(1)>\u202Egnp`;
/** The browser's errors about sockets that break while an agent is gone. */
const brokenSockets = /WebSocket|status of [45]\d\d/;

let dashboard: Dashboard;
let agentId = "";
let watched: WatchedPage;

beforeAll(async () => {
  dashboard = await openDashboard();
  const templateId = await pushTemplate(dashboard.admin, "box", template);
  const workspace = await makeWorkspace(
    dashboard.admin,
    "dev",
    templateId,
    ({ lifecycle_state: state }) => state === "ready",
  );
  agentId = requireAgent(workspace).id;
  watched = await dashboard.openAdminPage();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

it("runs a command, shows what it writes as text, and ends it", async () => {
  const { page } = watched;
  await page.goto("/@admin/dev/runs");
  await page.getByText("Nothing has been run yet").waitFor();
  await page.getByLabel("Run a command").fill(`printf '${markup}\\n'; sleep 600`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page
    .getByRole("log", { name: "Output" })
    .getByText(/^<img src=x/)
    .waitFor();
  await expectSound(watched, brokenSockets);
  const held = await hold(page, "**/signal", "POST");
  await page.getByRole("button", { name: "Kill" }).click();
  await held.arrived;
  await page.getByRole("button", { name: "Kill", disabled: true }).waitFor();
  held.release();
  await page.getByRole("row", { name: /Ended by SIGKILL/ }).waitFor();
});

it("keeps the next command that is typed while one begins", async () => {
  const { page } = watched;
  await page.goto("/@admin/dev/runs");
  const held = await hold(page, "**/runs?*", "POST");
  const command = page.getByLabel("Run a command");
  await command.fill("echo first");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await held.arrived;
  await command.fill("echo next");
  held.release();
  await page.getByRole("row", { name: /echo first Succeeded/ }).waitFor();
  expect(await command.inputValue()).toBe("echo next");
});

it("keeps the lists and what was typed when they cannot be read again", async () => {
  const { page } = await dashboard.openAdminPage();
  const full = { status: 500, json: { message: "The database is full." } };
  const failure = page.getByRole("alert").getByText("The database is full.");
  await page.clock.install();
  await page.goto("/@admin/dev/runs");
  await page.getByLabel("Run a command").fill("true");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("row", { name: /true Succeeded/ }).waitFor();
  await page.getByLabel("Run a command").fill("make");
  await page.route("**/runs", (route) => route.fulfill(full));
  await page.clock.fastForward(10_000);
  await failure.waitFor();
  expect(await page.getByLabel("Run a command").inputValue()).toBe("make");
  await page.getByRole("row", { name: /true Succeeded/ }).waitFor();
  await page.unroute("**/runs");
  await page.getByRole("button", { name: "Try again" }).click();
  await failure.waitFor({ state: "detached" });

  await page.goto("/@admin/dev/connections");
  await page.getByText("Nobody has connected yet").waitFor();
  await page.route("**/connections", (route) => route.fulfill(full));
  await page.clock.fastForward(10_000);
  await failure.waitFor();
  await page.getByText("Nobody has connected yet").waitFor();
});

it("shows the states of long commands on a phone, and the whole of a chosen one", async () => {
  const { page } = await dashboard.openAdminPage({ viewport: { width: 390, height: 844 } });
  const words = `true ${"unbroken".repeat(12)}`;
  await dashboard.admin.call(startRun, {
    params: { agent: agentId },
    query: { wait_ms: "0" },
    body: { command: words },
  });
  await page.goto("/@admin/dev/runs");
  const row = page.getByRole("row", { name: words });
  const state = await row.getByText("Succeeded").boundingBox();
  expect((state?.x ?? 999) + (state?.width ?? 0)).toBeLessThanOrEqual(390);
  await row.getByRole("link").click();
  const title = page.getByRole("heading", { name: words });
  await page.getByRole("log", { name: "Output" }).waitFor();
  expect(await title.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
  // The focus moves nothing out of view.
  expect(
    await row
      .getByRole("cell")
      .first()
      .evaluate((one) => one.scrollLeft),
  ).toBe(0);
});
