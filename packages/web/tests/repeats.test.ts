import { createUser } from "@slipway/api/users/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { freshName, makeWorkspace, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, newUser, openDashboard } from "./support/dashboard.ts";

/* Clicks that come twice, other tabs and users of the same browser, and news that were missed. */

const outside = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const inside = "driver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";

let dashboard: Dashboard;
let outsideId = "";

beforeAll(async () => {
  dashboard = await openDashboard();
  outsideId = await pushTemplate(dashboard.admin, "outside", outside);
  const insideId = await pushTemplate(dashboard.admin, "inside", inside);
  await makeWorkspace(
    dashboard.admin,
    "dev",
    insideId,
    ({ lifecycle_state: state }) => state === "ready",
  );
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Makes a workspace that runs, and returns its name. */
async function make(name: string): Promise<string> {
  const { id } = await dashboard.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: outsideId },
  });
  await waitForWorkspace(dashboard.admin, id, (one) => one.latest_build.status === "running");
  return name;
}

/** Counts the requests of a method to an address, and lets them wait until they are released. */
async function countRequests(page: Page, address: string, method: string) {
  const released = Promise.withResolvers<void>();
  let count = 0;
  await page.route(address, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    count += 1;
    await released.promise;
    return route.continue();
  });
  return { count: () => count, release: () => released.resolve() };
}

describe("an action that is asked for twice", () => {
  it("runs once when its button is clicked twice", async () => {
    const name = await make(freshName("twice"));
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/workspaces?q=${name}`);
    const requests = await countRequests(page, "**/workspaces/*/builds", "POST");
    await page.getByRole("button", { name: `Stop ${name}` }).click();
    const dialog = page.getByRole("dialog", { name: `Stop ${name}?` });
    await dialog.getByRole("button", { name: "Stop", exact: true }).dblclick();
    await expect.poll(requests.count).toBe(1);
    requests.release();
    await page.getByRole("row").getByText("Stopped").waitFor();
    expect(requests.count()).toBe(1);
  });

  it("runs once when the form is sent twice by the keyboard", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/@admin/dev/runs");
    const requests = await countRequests(page, "**/workspaceagents/*/runs*", "POST");
    await page.getByLabel("Run a command").fill("echo once");
    await page.keyboard.press("Enter");
    await expect.poll(requests.count).toBe(1);
    await page.keyboard.press("Enter");
    requests.release();
    await page.getByRole("log", { name: "Output" }).getByText("once").waitFor();
    expect(requests.count()).toBe(1);
  });

  it("creates one workspace when the form is sent again by the keyboard", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/templates/outside/workspace");
    const requests = await countRequests(page, "**/users/me/workspaces", "POST");
    const name = freshName("once");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Create workspace" }).click();
    await expect.poll(requests.count).toBe(1);
    await page.getByLabel("Name").press("Enter");
    requests.release();
    await page.waitForURL(`**/@admin/${name}`);
    expect(requests.count()).toBe(1);
  });

  it("can upload the same file again", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/@admin/dev/files");
    const input = page.getByLabel("Files to upload");
    const name = `${freshName("again")}.txt`;
    const file = { name, mimeType: "text/plain", buffer: Buffer.from("one") };
    await input.setInputFiles(file);
    await page.getByRole("link", { name, exact: true }).waitFor();
    // A field that still names the file does not notice that it is chosen again.
    await expect.poll(() => input.inputValue()).toBe("");
    await input.setInputFiles(file);
    await page
      .getByRole("alert")
      .getByText(/exists/)
      .waitFor();
  });
});

it("takes back a selection when the list shows something else", async () => {
  const name = await make(freshName("chosen"));
  const { page } = await dashboard.openAdminPage();
  await page.goto(`/workspaces?q=${name}`);
  await page.getByLabel(`Select ${name}`).check();
  await page.getByRole("toolbar").getByText("1 selected").waitFor();
  await page.getByRole("searchbox").fill("dev");
  await page.getByRole("link", { name: "dev", exact: true }).waitFor();
  await page.getByRole("toolbar").waitFor({ state: "detached" });
});

it("tells that a workspace could not become a favorite, and does not show it as one", async () => {
  const name = await make(freshName("plain"));
  const { page } = await dashboard.openAdminPage();
  await page.goto(`/workspaces?q=${name}`);
  await page.route("**/workspaces/*/favorite", (route) =>
    route.fulfill({ status: 500, json: { message: "The database is full." } }),
  );
  await page.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Add to favorites" }).click();
  await page.getByRole("status").getByText("The database is full.").waitFor();
  await page.getByRole("img", { name: "Favorite" }).waitFor({ state: "detached" });
});

describe("another tab", () => {
  it("has what the stream told before it was opened", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/@admin/dev");
    await page.getByText("Running").first().waitFor();
    const other = await page.context().newPage();
    // What it reads itself is old, and there is no news.
    await other.route("**/users/admin/workspace/dev?*", async (route) => {
      const response = await route.fetch();
      const { latest_build: build, ...rest } = await response.json();
      await route.fulfill({
        response,
        json: { ...rest, latest_build: { ...build, status: "stopping" } },
      });
    });
    await other.goto("/@admin/dev");
    await other.getByText("Running").first().waitFor();
  });

  it("gets the theme that is chosen in this one", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/settings/appearance");
    const other = await page.context().newPage();
    await other.goto("/inbox");
    await other.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.getByRole("radio", { name: /^Dark/ }).check();
    const scheme = "getComputedStyle(document.documentElement).colorScheme";
    await expect.poll(() => other.evaluate(scheme)).toBe("dark");
  });
});

it("shows nothing of one user to the next one in the same tab", async () => {
  const ann = newUser("ann");
  await dashboard.admin.call(createUser, { body: ann });
  const { page } = await dashboard.openAdminPage();
  await page.goto("/workspaces");
  await page.getByRole("link", { name: "dev", exact: true }).waitFor();
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByLabel("Email").fill(ann.email);
  await page.getByLabel("Password").fill(ann.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByText("You have no workspaces yet").waitFor();
  await page.getByRole("button", { name: ann.username }).waitFor();
  expect(await page.getByRole("link", { name: "Deployment" }).count()).toBe(0);
});

it("catches up with what it missed while its stream was lost", async () => {
  const { page } = await dashboard.openAdminPage();
  let isAsleep = false;
  const sleepers: (() => Promise<void>)[] = [];
  await page.routeWebSocket(/\/watch/, (socket) => {
    if (isAsleep) return void socket.close();
    socket.connectToServer();
    sleepers.push(() => socket.close());
    return undefined;
  });
  const name = freshName("missed");
  await page.goto(`/workspaces?q=${name}`);
  await page.getByText("No workspace matches").waitFor();
  isAsleep = true;
  for (const close of sleepers) await close();
  await page.getByRole("status").getByText("the connection was lost").waitFor();
  await make(name);
  isAsleep = false;
  await page.getByRole("link", { name, exact: true }).waitFor();
  await page.getByRole("status").getByText("the connection was lost").waitFor({ state: "hidden" });
});

it("leads back from a page of a list whose rows are gone", async () => {
  const { page } = await dashboard.openAdminPage();
  await page.goto("/users?page=9");
  await page.getByText(/^Nothing on page 9 of/).waitFor();
  await page.getByRole("link", { name: "Previous" }).click();
  await page.waitForURL("**/users?page=1");
  await page.getByRole("row", { name: /admin@localhost/ }).waitFor();
});
