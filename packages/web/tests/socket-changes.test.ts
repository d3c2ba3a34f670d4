import { createWorkspace } from "@slipway/api/workspaces/routes";
import { freshName, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, openDashboard } from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";
import { planSockets } from "./support/planned-sockets.ts";

/* Pages whose WebSockets are refused for a time, and come back. */

const template = `
driver: external
parameters:
  memory: { type: number, default: 8, mutable: true, validation: { min: 1, max: 64 } }
agents:
  main: { os: linux, arch: amd64 }
`;
/** The time for a page to try its socket again. */
const patience = { timeout: 30_000 };
const forms = /\/dynamic-parameters$/;
const lists = /\/workspaces\/watch-ws$/;
const evaluations = "**/dynamic-parameters/evaluate";

let dashboard: Dashboard;
let templateId = "";

beforeAll(async () => {
  dashboard = await openDashboard();
  templateId = await pushTemplate(dashboard.admin, "memory", template);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

async function make(name: string): Promise<void> {
  const body = { name, template_id: templateId };
  const { id } = await dashboard.admin.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(dashboard.admin, id, (one) => one.latest_build.status === "running");
}

async function openForm(page: Page) {
  await page.goto("/templates/memory/workspace?name=mine");
  const memory = page.getByLabel(/^memory/);
  await memory.waitFor();
  return memory;
}

/** Resolves when a request of a form is canceled, which is long before it would be given up. */
async function cancellation(page: Page): Promise<void> {
  await page.waitForEvent("requestfailed", {
    predicate: (request) => request.url().endsWith("/evaluate"),
    timeout: 20_000,
  });
}

describe("a form", () => {
  it("that sends requests takes back the one for older values", async () => {
    const { page } = await dashboard.openAdminPage();
    await planSockets(page, forms, () => "refuse");
    const memory = await openForm(page);
    const request = await hold(page, evaluations, "POST");
    await memory.fill("99");
    await request.arrived;
    const canceled = cancellation(page);
    await memory.fill("98");
    await canceled;
    request.release();
    await page.getByText("found 98").waitFor();
    expect(await page.getByText("found 99").count()).toBe(0);
  });

  it("that sends requests cancels the last one when it is left", async () => {
    const { page } = await dashboard.openAdminPage();
    await planSockets(page, forms, () => "refuse");
    const memory = await openForm(page);
    const request = await hold(page, evaluations, "POST");
    await memory.fill("99");
    await request.arrived;
    const canceled = cancellation(page);
    await page.getByRole("link", { name: "Templates", exact: true }).click();
    await canceled;
    request.release();
  });

  it("returns to its socket after single failures, however many they are in all", async () => {
    const { page } = await dashboard.openAdminPage();
    const sockets = await planSockets(page, forms, (count) =>
      count % 2 === 1 ? "refuse" : "pass",
    );
    await page.route(evaluations, (route) => route.abort());
    const memory = await openForm(page);
    for (const value of ["97", "98", "99"]) {
      await memory.fill(value);
      await page.getByText(`found ${value}`).waitFor(patience);
      const { length } = sockets.opened;
      await sockets.close();
      await expect.poll(() => sockets.opened.length, patience).toBe(length + 2);
    }
  });

  it("keeps a socket that has opened, however late it is", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    const sockets = await planSockets(page, forms, () => "pass");
    let requests = 0;
    await page.route(evaluations, (route) => {
      requests += 1;
      return route.continue();
    });
    const memory = await openForm(page);
    await memory.fill("98");
    await page.getByText("found 98").waitFor();
    await page.clock.fastForward(10_000);
    await memory.fill("99");
    await page.getByText("found 99").waitFor();
    expect({ requests, sockets: sockets.opened.length }).toEqual({ requests: 0, sockets: 1 });
  });
});

describe("a list", () => {
  const blocked = "WebSockets are blocked";
  const lost = "the connection was lost";

  it("says that WebSockets are blocked until one opens, and not at the next loss", async () => {
    const { page } = await dashboard.openAdminPage();
    let plan: "refuse" | "pass" | "hang" = "refuse";
    const sockets = await planSockets(page, lists, () => plan);
    const name = freshName("back");
    await page.goto(`/workspaces?q=${name}`);
    const status = page.getByRole("status");
    await status.getByText(blocked).waitFor(patience);
    plan = "pass";
    await make(name);
    await status.getByText(blocked).waitFor({ state: "hidden", ...patience });
    await page.getByRole("link", { name, exact: true }).waitFor();
    plan = "hang";
    await sockets.close();
    await status.getByText(lost).waitFor();
    expect(await status.getByText(blocked).count()).toBe(0);
  });

  it("stays live when the answer about a loss comes after the next socket", async () => {
    const { page } = await dashboard.openAdminPage();
    const sockets = await planSockets(page, lists, () => "pass");
    const name = freshName("late");
    await page.goto(`/workspaces?q=${name}`);
    await page.getByText("No workspace matches").waitFor();
    const look = await hold(page, "**/users/me", "GET");
    await sockets.close();
    await look.arrived;
    await make(name);
    await page.getByRole("link", { name, exact: true }).waitFor();
    await page.getByRole("status").getByText(lost).waitFor({ state: "hidden" });
    const answered = page.waitForResponse((one) => one.url().endsWith("/users/me"));
    look.release();
    await (await answered).finished();
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
    expect(await page.getByRole("status").getByText(lost).count()).toBe(0);
  });
});
