import { provisionerKeyHeader } from "@slipway/api/contract/route";
import type { ProvisionerKey } from "@slipway/api/jobs/provisioner";
import {
  createProvisionerKey,
  deleteProvisionerKey,
  listProvisionerKeys,
  serveProvisioner,
} from "@slipway/api/organizations/provisioner-routes";
import { type MessageSocket, openSocket } from "@slipway/sdk/stream";
import { freshName } from "@slipway/testkit";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";

/* The page of provisioners and their keys. */

const params = { organization: "default" };
const markup = "<img src=x onerror=alert(1)>\u202Egnp";
const shownMarkup = "<img src=x onerror=alert(1)>gnp";
/** The text of the console about a request that is refused, as the test wants it. */
const refusal = /status of 4/;
/** The time for a page to read again what no stream tells it. */
const patience = { timeout: 30_000 };

let dashboard: Dashboard;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

async function makeKey(name: string): Promise<string> {
  const body = { name, tags: { region: "eu" } };
  return (await dashboard.admin.call(createProvisionerKey, { params, body })).key;
}

async function findKey(name: string): Promise<ProvisionerKey | undefined> {
  const keys = await dashboard.admin.call(listProvisionerKeys, { params });
  return keys.find((one) => one.name === name);
}

/** Connects as a provisioner that does no job. */
async function connect(key: string, build: string): Promise<MessageSocket> {
  const query = { protocol: "1", build, id: crypto.randomUUID(), name: "eu-1" };
  const url = dashboard.admin.url(serveProvisioner, { params, query });
  const { signal } = new AbortController();
  const socket = await openSocket(url, { headers: { [provisionerKeyHeader]: key }, signal });
  onTestFinished(() => socket.close());
  return socket;
}

function row(name: string | RegExp, table = "Provisioner keys"): Locator {
  return page.getByRole("table", { name: table }).getByRole("row", { name });
}

async function askToDelete(name: string): Promise<Locator> {
  await page.getByRole("button", { name: `Delete ${name}`, exact: true }).click();
  return page.getByRole("dialog", { name: `Delete ${name}?` });
}

it("explains keys where there are none, and creates one that is shown once", async () => {
  for (const { id } of await dashboard.admin.call(listProvisionerKeys, { params })) {
    await dashboard.admin.call(deleteProvisionerKey, { params: { ...params, key: id } });
  }
  await page.goto("/provisioners");
  await page.getByText("No keys yet").waitFor();
  await expectSound(watched);
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  const tags = form.getByLabel("Tags");
  const create = form.getByRole("button", { name: "Create key" });
  const fails = async (text: string): Promise<void> => {
    await create.click();
    await form.getByText(text).waitFor();
  };
  await form.getByLabel("Name").fill("two words");
  await tags.fill("region=eu\nsize");
  await fails("Line 2 must be name=value.");
  await expectSound(watched);
  await tags.fill("scope=user");
  await fails("must not have a scope or an owner");
  await tags.fill(`region=eu\nsize=${"x".repeat(257)}`);
  await fails("size must have at most 256 characters");
  await tags.fill("region=eu\nsize=large");
  await fails("must be letters and digits");
  await form.getByLabel("Name").fill("europe");
  await create.click();
  const shown = page.getByRole("dialog", { name: "Your new key" });
  await shown.getByText("slipway provisioner start").waitFor();
  const [key = "", command] = await shown.locator("code[tabindex]").allTextContents();
  const { origin } = new URL(page.url());
  expect(command).toBe(`SLIPWAY_PROVISIONER_KEY=${key} slipway provisioner start --url ${origin}`);
  await expectSound(watched, refusal);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await shown.getByRole("button", { name: "Copy" }).first().click();
  await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).toBe(key);
  await shown.getByRole("button", { name: "Done" }).click();
  await row(/^europe region=eu size=large None online/).waitFor();
  expect(await page.content()).not.toContain(key);

  // It works; the provisioner appears without a reload, and its version is text.
  const socket = await connect(key, markup);
  await row(/^europe .* 1 online/).waitFor(patience);
  await row(/^eu-1 Idle europe/, "Provisioners")
    .getByText(shownMarkup)
    .waitFor();
  await expectSound(watched);

  const dialog = await askToDelete("europe");
  await dialog.getByText("1 provisioner is connected with this key.").waitFor();
  await dialog.getByText("eu-1").waitFor();
  await expectSound(watched);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await findKey("europe")).toBeDefined();
  await (await askToDelete("europe")).getByRole("button", { name: "Delete key" }).click();
  await page.getByText("No keys yet").waitFor();
  expect(await socket.ended).toMatchObject({ code: 1008 });
});

it("says that a name is taken, and keeps what was entered", async () => {
  const name = freshName("taken");
  await makeKey(name);
  await page.goto("/provisioners");
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Tags").fill("region=us");
  await form.getByRole("button", { name: "Create key" }).click();
  await form.getByText("already in use").waitFor();
  expect(await form.getByLabel("Tags").inputValue()).toBe("region=us");
  expect((await findKey(name))?.tags).toEqual({ region: "eu" });
  await expectSound(watched, refusal);
});

it("leaves alone a key that another owner has created with the name of a deleted one", async () => {
  const name = freshName("again");
  await makeKey(name);
  await page.goto("/provisioners");
  const dialog = await askToDelete(name);
  const key = { ...params, key: name };
  await dashboard.admin.call(deleteProvisionerKey, { params: key });
  await makeKey(name);
  const made = await findKey(name);
  await dialog.getByRole("button", { name: "Delete key" }).click();
  await dialog.waitFor({ state: "detached" });
  await row(name).waitFor();
  expect(await findKey(name)).toEqual(made);
  // A key that is already gone counts as deleted.
  const last = await askToDelete(name);
  await dashboard.admin.call(deleteProvisionerKey, { params: key });
  await last.getByRole("button", { name: "Delete key" }).click();
  await row(name).waitFor({ state: "detached" });
  await expectSound(watched, refusal);
});

it("creates one key at two clicks, and says if it could not show it", async () => {
  const name = freshName("late");
  await page.goto("/provisioners");
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Tags").fill("region=eu");
  const request = await hold(page, "**/provisionerkeys", "POST");
  await form.getByRole("button", { name: "Create key" }).dblclick();
  await request.arrived;
  await page.keyboard.press("Escape");
  await form.waitFor({ state: "detached" });
  request.release();
  await page.getByText("The new key was not shown").waitFor();
  await row(name).waitFor();
  await expectSound(watched);
});

it("is used by the keyboard alone", async () => {
  const name = freshName("typed");
  await page.goto("/provisioners");
  await page.getByRole("button", { name: "New key" }).focus();
  await page.keyboard.press("Enter");
  const form = page.getByRole("dialog", { name: "New key" });
  await form.waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(name);
  await page.keyboard.press("Tab");
  await page.keyboard.type("region=eu");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Your new key" }).waitFor();
  await page.keyboard.press("Escape");
  await row(name).waitFor();
});
