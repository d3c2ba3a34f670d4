import { createUser } from "@slipway/api/users/routes";
import { freshName, pushTemplate, testAdmin } from "@slipway/testkit";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, expectSound, newUser, openDashboard } from "./support/dashboard.ts";

/* Sessions that end while a page is open: the log-in stands above it, and what was typed stays. */

const template = `driver: external
parameters:
  notes: { type: string, default: "", mutable: true }
agents:
  main: { os: linux, arch: amd64 }
`;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
  await pushTemplate(dashboard.admin, "box", template);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Ends the session of a page behind its back; returns the log-in that then stands above it. */
async function endSession(page: Page): Promise<Locator> {
  await page.request.post("/api/v2/users/logout", { headers: { Origin: dashboard.server.url } });
  const dialog = page.getByRole("dialog", { name: "Log in to Slipway" });
  await dialog.getByText("Your session has ended.").waitFor();
  return dialog;
}

async function logInAbove(dialog: Locator, password: string): Promise<void> {
  await dialog.getByLabel("Password").fill(password);
  await dialog.getByRole("button", { name: "Log in", exact: true }).click();
}

describe("a session that ends", () => {
  it("keeps what was typed until the same user has logged in again", async () => {
    const watched = await dashboard.openUserPage("ann");
    const { page, user } = watched;
    await page.goto("/templates/box/workspace");
    await page.getByLabel("Name", { exact: true }).fill("typed");
    await page.getByLabel("notes").fill("half a sentence");
    const dialog = await endSession(page);
    await expectSound(watched, /status of 401|WebSocket/);
    expect(await dialog.getByLabel("Email").inputValue()).toBe(user.email);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await logInAbove(dialog, "wrong");
    await dialog.getByRole("alert").getByText("Incorrect email or password.").waitFor();
    await logInAbove(dialog, user.password);
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByLabel("notes").inputValue()).toBe("half a sentence");
    await page.getByRole("button", { name: "Create workspace" }).click();
    await page.waitForURL(`**/@${user.username}/typed`);
    await page.getByRole("heading", { name: "typed" }).waitFor();
  });

  it("is noticed by an action, which can be repeated", async () => {
    const { page, user } = await dashboard.openUserPage("eve");
    // Without sockets, only the answer to the action tells of it.
    await page.routeWebSocket(/./, () => undefined);
    await page.goto("/settings/tokens");
    await page.getByRole("button", { name: "New token" }).click();
    const form = page.getByRole("dialog", { name: "New token" });
    await form.getByLabel("Name (optional)").fill("mine");
    await form.getByLabel("All your rights").check();
    await page.request.post("/api/v2/users/logout", { headers: { Origin: dashboard.server.url } });
    await form.getByRole("button", { name: "Create token" }).click();
    const dialog = page.getByRole("dialog", { name: "Log in to Slipway" });
    await logInAbove(dialog, user.password);
    await dialog.waitFor({ state: "detached" });
    await form.getByText("Nothing was saved: your session had ended. Try again.").waitFor();
    await form.getByRole("button", { name: "Create token" }).click();
    await page.getByRole("dialog", { name: "Your new token" }).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("row", { name: /^mine/ }).waitFor();
  });

  it("goes on once its user has logged in in another tab", async () => {
    const { page, user } = await dashboard.openUserPage("tab");
    await page.goto("/templates/box/workspace");
    await page.getByLabel("notes").fill("half a sentence");
    const dialog = await endSession(page);
    const other = await page.context().newPage();
    await other.goto("/login");
    await other.getByLabel("Email").fill(user.email);
    await logInAbove(other.locator("body"), user.password);
    await other.getByRole("heading", { name: "Workspaces" }).waitFor();
    // A browser without a screen does not tell its pages of the focus.
    await page.evaluate("dispatchEvent(new Event('focus'))");
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByLabel("notes").inputValue()).toBe("half a sentence");
  });

  it("leaves nothing to another user, not even the question about unsaved changes", async () => {
    const next = newUser("bob");
    await dashboard.admin.call(createUser, { body: next });
    const name = freshName("edited");
    await pushTemplate(dashboard.admin, name, template);
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/templates/${name}`);
    await page.getByRole("link", { name: "Edit" }).click();
    const area = page.getByRole("textbox", { name: "Definition" });
    await area.fill(`${template}# a secret thought\n`);
    const dialog = await endSession(page);
    await dialog.getByLabel("Email").fill(next.email);
    await logInAbove(dialog, next.password);
    await page.waitForURL("**/workspaces");
    await page.getByRole("button", { name: next.username }).waitFor();
    expect(await page.content()).not.toContain("a secret thought");
    await page.goBack();
    await page.getByRole("button", { name: next.username }).waitFor();
    expect(await page.content()).not.toContain("a secret thought");
  });

  it("keeps the text of the editor", async () => {
    const name = freshName("edited");
    await pushTemplate(dashboard.admin, name, template);
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/templates/${name}`);
    await page.getByRole("link", { name: "Edit" }).click();
    const area = page.getByRole("textbox", { name: "Definition" });
    await area.fill(`${template}# kept\n`);
    const dialog = await endSession(page);
    await logInAbove(dialog, testAdmin.password);
    await dialog.waitFor({ state: "detached" });
    expect(await area.inputValue()).toBe(`${template}# kept\n`);
    await page.getByRole("button", { name: "Save as new version", exact: true }).click();
    await page.getByText(/^Saved as/).waitFor();
  });
});
