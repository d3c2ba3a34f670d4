import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { listBuildParameters } from "@slipway/api/builds/routes";
import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import {
  createWorkspace,
  extendWorkspace,
  getWorkspaceByName,
} from "@slipway/api/workspaces/routes";
import {
  freshName,
  makeWorkspace,
  pushTemplate,
  pushVersion,
  waitForWorkspace,
} from "@slipway/testkit";
import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, openDashboard } from "./support/dashboard.ts";
import { controlEvaluation } from "./support/evaluation-socket.ts";
import { hold } from "./support/held-request.ts";

/* Answers that come late, twice or to a page that has gone on. */

const outside = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const inside = "driver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";

let dashboard: Dashboard;
let outsideId = "";
let home = "";

beforeAll(async () => {
  dashboard = await openDashboard();
  outsideId = await pushTemplate(dashboard.admin, "outside", outside);
  const insideId = await pushTemplate(dashboard.admin, "inside", inside);
  const { id } = await makeWorkspace(
    dashboard.admin,
    "dev",
    insideId,
    ({ lifecycle_state: state }) => state === "ready",
  );
  home = join(dashboard.dataDir, "workspaces", id, "home");
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Makes a workspace that runs, whose name begins like this. */
async function make(
  prefix: string,
  ttlMs?: number,
): Promise<{ readonly id: string; readonly name: string }> {
  const name = freshName(prefix);
  const { id } = await dashboard.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: outsideId, ...(ttlMs === undefined ? {} : { ttl_ms: ttlMs }) },
  });
  await waitForWorkspace(dashboard.admin, id, (one) => one.latest_build.status === "running");
  return { id, name };
}

function build(id: string, transition: "start" | "stop" | "delete"): Promise<unknown> {
  return dashboard.admin.call(createBuild, { params: { workspace: id }, body: { transition } });
}

function rowOf(page: Page, name: string) {
  return page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
}

const refused = (route: Route): Promise<void> =>
  route.fulfill({ status: 409, json: { message: "Another build is running." } });

describe("a dialog that was closed while its action ran", () => {
  it("leaves the next one open when the action is done", async () => {
    const { name } = await make("closed");
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/workspaces?q=${name}`);
    const held = await hold(page, "**/workspaces/*/builds", "POST");
    await page.getByRole("button", { name: `Stop ${name}` }).click();
    const stop = page.getByRole("dialog", { name: `Stop ${name}?` });
    await stop.getByRole("button", { name: "Stop", exact: true }).click();
    await held.arrived;
    await page.keyboard.press("Escape");
    await stop.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    const remove = page.getByRole("dialog", { name: `Delete ${name}?` });
    await remove.getByLabel(`Type ${name} to confirm`).fill("clo");
    held.release();
    await rowOf(page, name).getByText("Stopped").waitFor();
    expect(await remove.getByLabel(`Type ${name} to confirm`).inputValue()).toBe("clo");
  });

  it("still tells that the action failed", async () => {
    const { name } = await make("refused");
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/workspaces?q=${name}`);
    const held = await hold(page, "**/workspaces/*/builds", "POST");
    await page.getByRole("button", { name: `Stop ${name}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop", exact: true }).click();
    await held.arrived;
    await page.keyboard.press("Escape");
    held.release(refused);
    await page.getByRole("status").getByText("Another build is running.").waitFor();
  });

  it("still tells for how many workspaces it failed", async () => {
    const { name } = await make("refused");
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/workspaces?q=${name}`);
    await page.getByLabel(`Select ${name}`).check();
    const held = await hold(page, "**/workspaces/*/builds", "POST");
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop 1 workspace" }).click();
    await held.arrived;
    await page.keyboard.press("Escape");
    held.release(refused);
    await page.getByRole("status").getByText("Failed for 1 of 1 workspace").waitFor();
  });

  it("leaves a selection alone that was made since", async () => {
    const many = freshName("many");
    const [first, second] = await Promise.all([make(many), make(many)]);
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/workspaces?q=${many}`);
    await page.getByLabel(`Select ${first.name}`).check();
    const held = await hold(page, "**/workspaces/*/builds", "POST");
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    const stop = page.getByRole("dialog", { name: "Stop 1 workspace?" });
    await stop.getByRole("button", { name: "Stop 1 workspace" }).click();
    await held.arrived;
    await page.keyboard.press("Escape");
    await page.getByLabel(`Select ${second.name}`).check();
    held.release();
    await rowOf(page, first.name).getByText("Stopped").waitFor();
    await page.getByRole("toolbar").getByText("2 selected").waitFor();
  });
});

describe("a selection", () => {
  it("follows what becomes of the workspaces, and acts on them as they are", async () => {
    const kept = freshName("kept");
    const [stopped, gone] = await Promise.all([make(kept), make(kept)]);
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/workspaces?q=${kept}`);
    for (const { name } of [stopped, gone]) await page.getByLabel(`Select ${name}`).check();
    const toolbar = page.getByRole("toolbar", { name: "Selected workspaces" });
    await toolbar.getByText("2 selected").waitFor();
    await build(stopped.id, "stop");
    await build(gone.id, "delete");
    await toolbar.getByText("1 selected").waitFor();
    await rowOf(page, stopped.name).getByText("Stopped").waitFor();
    await toolbar.getByRole("button", { name: "Stop", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Stop 0 workspaces?" });
    await dialog.getByText("1 workspace skipped").waitFor();
  });
});

it("asks about the same workspaces until it is answered, whatever becomes of them", async () => {
  const prefix = freshName("asked");
  const [asked, other] = await Promise.all([make(prefix), make(prefix)]);
  const { page } = await dashboard.openAdminPage();
  await page.goto(`/workspaces?q=${prefix}`);
  for (const { name } of [asked, other]) await page.getByLabel(`Select ${name}`).check();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Stop 2 workspaces?" });
  await dialog.waitFor();
  await build(asked.id, "stop");
  await page.locator('[role="row"]', { hasText: asked.name }).getByText("Stopped").waitFor();
  expect(await dialog.isVisible()).toBe(true);
});

describe("what is typed while it is saved", () => {
  it("is not taken for saved in the editor of a template", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/templates/outside/versions");
    await page.getByRole("table").getByRole("link").first().click();
    await page.getByRole("link", { name: "Edit" }).first().click();
    const text = page.getByLabel("Definition", { exact: true });
    await text.fill(`${outside}# one\n`);
    const held = await hold(page, "**/templateversions", "POST");
    const save = page.getByRole("button", { name: /^Save as new version/ });
    await save.click();
    await held.arrived;
    await text.fill(`${outside}# one\n# two\n`);
    held.release();
    await page.getByText(/^Saved as/).waitFor();
    await expect.poll(() => save.getAttribute("aria-disabled")).toBeNull();
  });

  it("is not lost in a file: it cannot be changed until it is read again", async () => {
    writeFileSync(join(home, "note.txt"), "one");
    const { page } = await dashboard.openAdminPage();
    const file = encodeURIComponent(join(home, "note.txt"));
    await page.goto(`/@admin/dev/files?file=${file}`);
    const text = page.getByRole("textbox");
    // Whoever the agent runs as, the answer is that of a write.
    const held = await hold(page, "**/workspaceagents/*/files**", "PUT");
    await text.fill("two");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await held.arrived;
    await expect.poll(() => text.isEditable()).toBe(false);
    writeFileSync(join(home, "note.txt"), "two, saved");
    held.release((route) => route.fulfill({ status: 204 }));
    await expect.poll(() => text.inputValue()).toBe("two, saved");
    await expect.poll(() => text.isEditable()).toBe(true);
  });

  it("does not change where a renamed workspace is", async () => {
    const { name: before } = await make("before");
    const after = freshName("after");
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/@admin/${before}/settings`);
    const name = page.getByLabel("Name", { exact: true });
    const held = await hold(page, "**/api/v2/workspaces/*", "PATCH");
    await name.fill(after);
    await page.getByRole("button", { name: "Rename" }).click();
    await held.arrived;
    await name.fill("elsewhere");
    held.release();
    await page.waitForURL(`**/@admin/${after}/settings`);
  });
});

it("updates without an answer that does not come in five seconds", async () => {
  const ownTemplate = await pushTemplate(dashboard.admin, freshName("own"), outside);
  const { page, client, user } = await dashboard.openUserPage("upd");
  const body = { name: "mine", template_id: ownTemplate };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(client, id, (one) => one.latest_build.status === "running");
  const next = `${outside}parameters: { key: { type: string, mutable: true } }\n`;
  const version = await pushVersion(dashboard.admin, next, { templateId: ownTemplate });
  await dashboard.admin.call(updateActiveVersion, {
    params: { template: ownTemplate },
    body: { id: version },
  });
  const socket = await controlEvaluation(page);
  await page.clock.install();
  await page.goto(`/@${user.username}/mine`);
  await page.getByRole("button", { name: "Update", exact: true }).click();
  const dialog = page.getByRole("dialog");
  const update = dialog.getByRole("button", { name: "Update and start", exact: true });
  const key = dialog.getByLabel("key", { exact: true });
  await key.fill("given");
  await update.waitFor();
  await socket.cut();
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await key.fill("given late");
  await page.clock.runFor(1_000);
  await dialog
    .getByRole("button", { name: "Update and start (The parameters are being updated)" })
    .waitFor();
  await page.clock.runFor(4_000);
  await update.waitFor();
  await page.clock.resume();
  await update.click();
  await dialog.waitFor({ state: "hidden" });
  const { latest_build: updated } = await client.call(getWorkspaceByName, {
    params: { user: "me", name: "mine" },
  });
  const values = await client.call(listBuildParameters, { params: { build: updated.id } });
  expect(values).toContainEqual({ name: "key", value: "given late" });
});

it("does not move a deadline twice at once", async () => {
  const { id, name } = await make("timed", 3_600_000);
  await dashboard.admin.call(extendWorkspace, {
    params: { workspace: id },
    body: { deadline: new Date(Date.now() + 3 * 3_600_000).toISOString() },
  });
  const { page } = await dashboard.openAdminPage();
  await page.goto(`/@admin/${name}`);
  const held = await hold(page, "**/extend", "PUT");
  await page.getByRole("button", { name: "+ 4 hours" }).click();
  await held.arrived;
  const [hour, hours] = ["+ 1 hour", "+ 4 hours"].map((text) =>
    page.getByRole("button", { name: text }),
  );
  await expect.poll(() => hour?.getAttribute("aria-disabled")).toBe("true");
  held.release();
  await page.getByText(/^It stops in 7 hours/).waitFor();
  await expect.poll(() => hours?.getAttribute("aria-disabled")).toBeNull();
});

it("shows the end of a build that ended unseen, when another has begun, and lists that one too", async () => {
  const { id, name } = await make("builds");
  const { page } = await dashboard.openAdminPage();
  // The first answer is as old as that of a machine that was asleep.
  let isFirst = true;
  await page.route(`**/workspace/${name}/builds/1`, async (route) => {
    const response = await route.fetch();
    const { job, ...rest } = await response.json();
    const old = isFirst ? { ...rest, job: { ...job, status: "running" } } : { ...rest, job };
    isFirst = false;
    await route.fulfill({ response, json: old });
  });
  await page.goto(`/@admin/${name}/builds/1`);
  await page.getByText("Succeeded").first().waitFor();
  await build(id, "stop");
  await page.getByText("Stopped").first().waitFor();
  await page.getByText("Succeeded").first().waitFor();
  expect(isFirst).toBe(false);
  await page.getByRole("link", { name: "Builds", exact: true }).click();
  await page.getByRole("row", { name: /#2 Stop Succeeded/ }).waitFor();
  await build(id, "start");
  await page.getByRole("row", { name: /#3 Start Succeeded/ }).waitFor();
});

it("leads every tab to the log-in when one of them logs out", async () => {
  const { page } = await dashboard.openAdminPage();
  await page.goto("/workspaces");
  await page.getByRole("heading", { name: "Workspaces" }).waitFor();
  const other = await page.context().newPage();
  await other.goto("/workspaces");
  await other.getByRole("heading", { name: "Workspaces" }).waitFor();
  await other.getByRole("button", { name: "admin" }).click();
  await other.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();
});
