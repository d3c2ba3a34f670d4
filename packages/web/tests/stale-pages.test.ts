import { updateNotificationsSettings } from "@slipway/api/notifications/routes";
import { updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { createToken, deleteKey, listTokens } from "@slipway/api/users/key-routes";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, openDashboard } from "./support/dashboard.ts";

/* Settings that are changed elsewhere while a page shows them, and dialogs that are closed too early. */


let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Has a page read again what it shows, as when its user comes back to it after some time. */
async function comeBack(page: Page): Promise<void> {
  await page.clock.fastForward(120_000);
  await page.evaluate("dispatchEvent(new Event('visibilitychange'))");
}

describe("a change that has been made already", () => {
  it("pauses pools that somebody else has paused, and resumes none of them", async () => {
    const { admin } = dashboard;
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    await page.goto("/pools");
    await page.getByRole("button", { name: "Pause…" }).click();
    const dialog = page.getByRole("dialog", { name: "Pause all pools?" });
    await admin.call(updatePrebuildsSettings, { body: { reconciliation_paused: true } });
    await comeBack(page);
    await page.getByText("Pools are paused.").waitFor();
    await dialog.getByRole("button", { name: "Pause", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Resume…" }).click();
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByText("Pools are resumed.").waitFor();
  });

  it("pauses and resumes notifications, and says why it could not", async () => {
    const { admin } = dashboard;
    const { page } = await dashboard.openAdminPage();
    await page.goto("/settings/notifications");
    await page.getByRole("button", { name: "Pause…" }).click();
    await admin.call(updateNotificationsSettings, { body: { notifier_paused: true } });
    await page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Paused: notifications are held until you resume").waitFor();
    const full = { status: 500, json: { message: "The database is full." } };
    await page.route("**/notifications/settings", (route) => route.fulfill(full), { times: 1 });
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("status").getByText("The database is full.").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Notifications are delivered").waitFor();
  });

  it("deletes a token that another page has deleted", async () => {
    const { page, client } = await dashboard.openUserPage("tom");
    await client.call(createToken, { params: { user: "me" }, body: { token_name: "ci" } });
    await page.goto("/settings/tokens");
    await page.getByRole("button", { name: "Delete ci" }).click();
    const [token] = await client.call(listTokens, { params: { user: "me" } });
    await client.call(deleteKey, { params: { user: "me", key: token?.id ?? "" } });
    await page.getByRole("dialog").getByRole("button", { name: "Delete token" }).click();
    await page.getByText("No tokens yet").waitFor();
  });
});
