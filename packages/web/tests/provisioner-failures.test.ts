import { freshName } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";
import { askToDelete, fillKeyForm, findKey, makeKey, row } from "./support/provisioner-keys.ts";

/* The page of provisioner keys when requests fail or are late. */

/** The text of the console about a request that is refused, as the test wants it. */
const refusal = /status of 4/;
/** The answer of a server that fails. */
const full = { status: 500, json: { message: "The database is full." } };

let dashboard: Dashboard;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

it("says that a name is taken, and keeps what was entered", async () => {
  const name = freshName("taken");
  await makeKey(dashboard.admin, name);
  await page.goto("/provisioners");
  const form = await fillKeyForm(page, name);
  await form.getByRole("button", { name: "Create key" }).click();
  await form.getByText("already in use").waitFor();
  expect(await form.getByLabel("Tags").inputValue()).toBe("region=us");
  expect((await findKey(dashboard.admin, name))?.tags).toEqual({ region: "eu" });
  await expectSound(watched, refusal);
});

it("creates one key at two clicks, and says if it could not show it", async () => {
  const name = freshName("late");
  await page.goto("/provisioners");
  const form = await fillKeyForm(page, name);
  const request = await hold(page, "**/provisionerkeys", "POST");
  await form.getByRole("button", { name: "Create key" }).dblclick();
  await request.arrived;
  await page.keyboard.press("Escape");
  await form.waitFor({ state: "detached" });
  request.release();
  await page.getByText("The new key was not shown").waitFor();
  await row(page, name).waitFor();
  await expectSound(watched);
});

it("tells why no key was created to those who have closed the form", async () => {
  const name = freshName("twice");
  await makeKey(dashboard.admin, name);
  await page.goto("/provisioners");
  const form = await fillKeyForm(page, name);
  const request = await hold(page, "**/provisionerkeys", "POST");
  await form.getByRole("button", { name: "Create key" }).click();
  await request.arrived;
  await form.getByRole("button", { name: "Cancel" }).click();
  request.release();
  await page.getByRole("status").getByText("already exists").waitFor();
  await expectSound(watched, refusal);
});

it("does not call a list empty that it has not read, and reads it again on demand", async () => {
  const name = freshName("listed");
  await makeKey(dashboard.admin, name);
  const own = await dashboard.openAdminPage();
  await own.page.clock.install();
  await own.page.route("**/provisionerkeys", (route) => route.fulfill(full));
  await own.page.goto("/provisioners");
  await own.page.getByText("The database is full.").waitFor();
  expect(await own.page.getByText("No keys yet").count()).toBe(0);
  await expectSound(own, /status of 500/);
  await own.page.unroute("**/provisionerkeys");
  // The page would read again by itself, but hardly any of its time passes.
  await own.page.clock.pauseAt(Date.now() + 1000);
  await own.page.getByRole("button", { name: "Try again" }).click();
  await expect
    .poll(async () => {
      await own.page.clock.runFor(5);
      return own.page.getByRole("row", { name }).count();
    })
    .toBe(1);
  expect(await own.page.getByText("The database is full.").count()).toBe(0);
});

it("keeps a key that could not be deleted, and says why", async () => {
  const name = freshName("stays");
  await makeKey(dashboard.admin, name);
  await page.goto("/provisioners");
  await page.route("**/provisionerkeys/*", (route) => route.fulfill(full), { times: 1 });
  const dialog = await askToDelete(page, name);
  await dialog.getByRole("button", { name: "Delete key" }).click();
  await dialog.getByText("The database is full.").waitFor();
  await row(page, name).waitFor();
  await expectSound(watched, /status of 500/);
  await dialog.getByRole("button", { name: "Delete key" }).click();
  await row(page, name).waitFor({ state: "detached" });
  expect(await findKey(dashboard.admin, name)).toBeUndefined();
});
