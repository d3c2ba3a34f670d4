import { openTestDatabase, testAdmin } from "@slipway/testkit";
import type { Locator, Page } from "playwright-core";
import { expect, inject, it, onTestFinished } from "vitest";

import { expectSound, openDashboard } from "./support/dashboard.ts";
import { expectFocus, isFocused, press, tabTo, type } from "./support/keyboard.ts";

/* The ways from the set-up to a template, and from the first page to a workspace that is gone, by the keyboard alone. */

function button(within: Page | Locator, name: string | RegExp): Locator {
  return within.getByRole("button", typeof name === "string" ? { name, exact: true } : { name });
}

it("leads from the set-up of a deployment to its first template, by the keyboard alone", async () => {
  const database = await openTestDatabase(inject("postgresUrl"));
  onTestFinished(() => database[Symbol.asyncDispose]());
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  const dashboard = await openDashboard({ environment });
  onTestFinished(() => dashboard[Symbol.asyncDispose]());
  // The server has made its administrator, and the helper has logged in.
  await database.db.deleteFrom("audit_log").execute();
  await database.db.deleteFrom("users").where("is_system", "=", false).execute();
  const watched = await dashboard.openPage();
  const { page } = watched;
  const user = { email: "first@example.com", username: "first", password: "battery-staple-1" };

  // Sets up, with a mistake first.
  await page.goto("/");
  await page.getByRole("heading", { name: "Welcome to Slipway" }).waitFor();
  await expectSound(watched, /status of 40[14]/);
  await type(page, page.getByLabel("Email"), user.email);
  await type(page, page.getByLabel("Username"), "two words");
  await type(page, page.getByLabel("Password"), user.password);
  await page.keyboard.press("Enter");
  await page.getByText("must be letters and digits").waitFor();
  await type(page, page.getByLabel("Username"), user.username);
  await press(page, button(page, "Create account"));
  await page.getByText("You have no workspaces yet").waitFor();

  // Nobody else sets it up.
  await page.goto("/setup");
  await page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();

  // Logs in with the new account.
  await type(page, page.getByLabel("Email"), user.email);
  await type(page, page.getByLabel("Password"), user.password);
  await press(page, button(page, "Log in"));
  await page.getByText("You have no workspaces yet").waitFor();

  // Makes the first template, on the page to which the empty ones lead.
  await press(page, page.getByRole("link", { name: "Create your first workspace" }));
  await press(page, page.getByRole("link", { name: "Create your first template" }));
  await press(page, button(page, "New template"));
  const creation = page.getByRole("dialog", { name: "New template" });
  await press(page, creation.getByRole("radio").first(), "Space");
  await type(page, creation.getByLabel("Name"), "first");
  await press(page, button(creation, "Create template"));
  await page.waitForURL("**/templates/first");
  await expectFocus(page.getByRole("main"));
}, 300_000);

it("leads from the first page to a workspace that is gone, by the keyboard alone", async () => {
  const dashboard = await openDashboard();
  onTestFinished(() => dashboard[Symbol.asyncDispose]());
  const { page } = await dashboard.openPage();
  const link = (name: string): Locator => page.getByRole("link", { name, exact: true });

  // Logs in.
  await page.goto("/");
  await type(page, page.getByLabel("Email"), testAdmin.email);
  await type(page, page.getByLabel("Password"), testAdmin.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Workspaces" }).waitFor();

  // Goes past the navigation.
  await page.reload();
  await page.getByRole("heading", { name: "Workspaces" }).waitFor();
  await press(page, link("Skip to content"));
  await expectFocus(page.getByRole("main"));

  // Makes a template; the focus moves into each page that is shown.
  await page.reload();
  await press(page, link("Templates"));
  await page.getByRole("heading", { name: "Templates" }).waitFor();
  await expectFocus(page.getByRole("main"));
  await press(page, button(page, "New template"));
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expectFocus(button(page, "New template"));
  await page.keyboard.press("Enter");
  const creation = page.getByRole("dialog");
  await press(page, creation.getByRole("radio").first(), "Space");
  await type(page, creation.getByLabel("Name"), "box");
  await press(page, button(creation, "Create template"));
  await page.waitForURL("**/templates/box");

  // Goes through the editor, which Tab leaves.
  await press(page, link("Edit"));
  const definition = page.getByRole("textbox", { name: "Definition" });
  await tabTo(page, definition);
  await page.keyboard.press("Tab");
  await expect.poll(() => isFocused(definition)).toBe(false);

  // Creates two workspaces.
  for (const name of ["one", "two"]) {
    await page.goto("/templates/box/workspace");
    await type(page, page.getByLabel("Name", { exact: true }), name);
    await press(page, button(page, "Create workspace"));
    await page.waitForURL(`**/@admin/${name}*`);
  }
  await page.getByText("Connected, started and reached by the server.").waitFor();

  // Looks at the ports.
  const views = page.getByRole("navigation", { name: /^Agent/ });
  await press(page, views.getByRole("link", { name: "Ports" }));
  await page.waitForURL(/view=ports/);
  await expectFocus(views.getByRole("link", { name: "Ports" }));

  // Works in a terminal, and leaves it.
  await page.goto("/@admin/two/terminal");
  const input = page.getByLabel("Terminal input");
  await page.getByRole("button", { name: /end-to-end encrypted/i }).waitFor();
  await expectFocus(input);
  await page.keyboard.type("echo sum-$((6 * 7))\n");
  await page.locator(".xterm-rows").getByText("sum-42").first().waitFor();
  await page.getByText("Ctrl+Shift+L leaves the terminal").waitFor();
  await page.keyboard.press("Tab");
  expect(await isFocused(input)).toBe(true);
  await page.keyboard.press("Control+Shift+L");
  await expectFocus(page.getByRole("list", { name: "Terminals" }).getByRole("button").first());
  await page.keyboard.press("Shift+Tab");
  await expectFocus(page.getByRole("link", { name: "two" }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Workspaces" }).waitFor();

  // Opens the menu of a row, and leaves it and its dialog: the focus is on the row again.
  const menu = button(page, "Actions for two");
  await press(page, menu);
  await page.getByRole("menuitem", { name: "Restart" }).waitFor();
  await page.keyboard.press("Escape");
  await expectFocus(menu);
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Delete" }).waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Delete two?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expectFocus(menu);

  // Stops both at once.
  for (const name of ["one", "two"]) await press(page, page.getByLabel(`Select ${name}`), "Space");
  const toolbar = page.getByRole("toolbar", { name: "Selected workspaces" });
  await press(page, button(toolbar, "Stop"));
  const stop = page.getByRole("dialog", { name: "Stop 2 workspaces?" });
  await press(page, button(stop, "Stop 2 workspaces"));
  await stop.waitFor({ state: "detached" });
  for (const name of ["one", "two"]) {
    await page.getByRole("row").filter({ hasText: name }).getByText("Stopped").waitFor();
  }

  // Deletes one: when the row is gone, the keyboard goes on in the page.
  await press(page, menu);
  await page.getByRole("menuitem", { name: "Delete" }).waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  const remove = page.getByRole("dialog", { name: "Delete two?" });
  await type(page, remove.getByLabel("Type two to confirm"), "two");
  await press(page, button(remove, /^Delete/));
  await link("two").waitFor({ state: "detached" });
  await page.keyboard.press("Tab");
  const isInPage = "document.querySelector('main').contains(document.activeElement)";
  await expect.poll(() => page.evaluate(isInPage)).toBe(true);
}, 300_000);
