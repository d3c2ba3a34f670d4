import {
  deleteProvisionerKey,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { freshName } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { markup, shownMarkup } from "./support/hostile-text.ts";
import { expectFocus, press, tabTo, type } from "./support/keyboard.ts";
import {
  askToDelete,
  connectProvisioner,
  fillKeyForm,
  findKey,
  makeKey,
  row,
} from "./support/provisioner-keys.ts";

/* The page of provisioners and their keys. */

const params = { organization: "default" };
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
  await row(page, /^europe region=eu size=large None online/).waitFor();
  await page.getByText("No provisioner has connected yet").waitFor();
  expect(await page.content()).not.toContain(key);

  // Nothing brings it back.
  await page.getByRole("button", { name: "New key" }).click();
  expect(await form.getByLabel("Name").inputValue()).toBe("");
  expect(await tags.inputValue()).toBe("");
  await page.reload();
  await row(page, "europe").waitFor();
  const kept = "JSON.stringify([localStorage, sessionStorage, history.state])";
  expect((await page.content()) + String(await page.evaluate(kept))).not.toContain(key);

  // It works; the provisioner appears without a reload, and its version is text.
  const socket = await connectProvisioner(dashboard.admin, key, "eu-1", markup);
  await row(page, /^europe .* 1 online/).waitFor(patience);
  await row(page, /^eu-1 Idle europe/, "Provisioners")
    .getByText(shownMarkup)
    .waitFor();
  await expectSound(watched);

  const dialog = await askToDelete(page, "europe");
  await dialog.getByText("1 provisioner is connected with this key.").waitFor();
  await dialog.getByText("eu-1").waitFor();
  await expectSound(watched);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await findKey(dashboard.admin, "europe")).toBeDefined();
  await (await askToDelete(page, "europe")).getByRole("button", { name: "Delete key" }).click();
  await page.getByText("No keys yet").waitFor();
  expect(await socket.ended).toMatchObject({ code: 1008 });
});

it("leaves alone a key that another owner has created with the name of a deleted one", async () => {
  const name = freshName("again");
  await makeKey(dashboard.admin, name);
  await page.goto("/provisioners");
  const dialog = await askToDelete(page, name);
  const key = { ...params, key: name };
  await dashboard.admin.call(deleteProvisionerKey, { params: key });
  await makeKey(dashboard.admin, name);
  const made = await findKey(dashboard.admin, name);
  await dialog.getByRole("button", { name: "Delete key" }).click();
  await dialog.waitFor({ state: "detached" });
  await row(page, name).waitFor();
  expect(await findKey(dashboard.admin, name)).toEqual(made);
  // A key that is already gone counts as deleted.
  const last = await askToDelete(page, name);
  await dashboard.admin.call(deleteProvisionerKey, { params: key });
  await last.getByRole("button", { name: "Delete key" }).click();
  await row(page, name).waitFor({ state: "detached" });
  await expectSound(watched, refusal);
});

it("has read the lists again when a change is made", async () => {
  const name = freshName("prompt");
  await page.goto("/provisioners");
  await (await fillKeyForm(page, name)).getByRole("button", { name: "Create key" }).click();
  const shown = page.getByRole("dialog", { name: "Your new key" });
  const key = await shown.locator("code[tabindex]").first().textContent();
  expect(await page.locator("tr", { hasText: name }).count()).toBe(1);
  await shown.getByRole("button", { name: "Done" }).click();
  await connectProvisioner(dashboard.admin, key ?? "", freshName("left"));
  await page.reload();
  const dialog = await askToDelete(page, name);
  await dialog.getByRole("button", { name: "Delete key" }).click();
  await dialog.waitFor({ state: "detached" });
  // Neither the key nor its provisioner.
  expect(await page.locator("tr", { hasText: name }).count()).toBe(0);
});

it("tells the provisioners of one key from those of another, and from servers", async () => {
  const [used, unused] = [freshName("used"), freshName("unused")];
  const key = await makeKey(dashboard.admin, used);
  const sockets = [
    await connectProvisioner(dashboard.admin, key, "one"),
    await connectProvisioner(dashboard.admin, key, "two"),
  ];
  await page.goto("/provisioners");
  await row(page, new RegExp(`^${used} region=eu 2 online`)).waitFor();
  for (const name of ["one", "two"]) {
    await row(page, new RegExp(`^${name} Idle ${used} region=eu 1.2.3`), "Provisioners").waitFor();
  }
  expect(await row(page, /built-in/, "Provisioners").count()).toBe(0);

  // What another owner does appears without a reload, in the list and in the question.
  await makeKey(dashboard.admin, unused);
  await row(page, new RegExp(`^${unused} region=eu None online`)).waitFor(patience);
  const question = await askToDelete(page, unused);
  await question.getByText("Provisioners with this key are disconnected").waitFor();
  expect(await question.getByText(/connected with this key/).count()).toBe(0);
  await page.keyboard.press("Escape");
  const warning = await askToDelete(page, used);
  await warning.getByText("2 provisioners are connected with this key.").waitFor();
  await warning.getByText(/^(?:one, two|two, one)$/).waitFor();
  sockets[0]?.close();
  await warning.getByText("1 provisioner is connected with this key.").waitFor(patience);
  await warning.getByText("two", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await row(page, /^one Offline/, "Provisioners").waitFor();
  await row(page, new RegExp(`^${used} region=eu 1 online`)).waitFor();
  await expectSound(watched);
});

it("is used by the keyboard alone", async () => {
  const name = freshName("typed");
  await page.goto("/provisioners");
  const opener = page.getByRole("button", { name: "New key" });
  await press(page, opener);
  const form = page.getByRole("dialog", { name: "New key" });
  await expectFocus(form.getByLabel("Name"));
  await page.keyboard.type(name);
  await type(page, form.getByLabel("Tags"), "region=eu");
  await press(page, form.getByRole("button", { name: "Create key" }));
  const shown = page.getByRole("dialog", { name: "Your new key" });
  await press(page, shown.getByRole("button", { name: "Done" }));
  await shown.waitFor({ state: "detached" });
  await expectFocus(opener);

  // Keeps the key, and goes on where it was.
  const remove = page.getByRole("button", { name: `Delete ${name}` });
  await press(page, remove);
  const dialog = page.getByRole("dialog", { name: `Delete ${name}?` });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await expectFocus(remove);
  await press(page, remove);
  await press(page, dialog.getByRole("button", { name: "Cancel" }));
  await dialog.waitFor({ state: "detached" });
  await expectFocus(remove);
  expect(await findKey(dashboard.admin, name)).toBeDefined();

  // Deletes it: its row is gone, and the focus is on the page.
  await press(page, remove);
  await press(page, dialog.getByRole("button", { name: "Delete key" }));
  await row(page, name).waitFor({ state: "detached" });
  await expectFocus(page.getByRole("main"));
  await tabTo(page, opener);
  expect(await findKey(dashboard.admin, name)).toBeUndefined();
});
