import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "./support/dashboard.ts";

/* The parts of the design system, as a page shows all of them. */

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

it.each(["light", "dark"] as const)("is sound in the %s theme", async (colorScheme) => {
  const watched = await dashboard.openAdminPage({ colorScheme });
  await watched.page.goto("/design");
  await watched.page.getByRole("heading", { name: "Design system" }).waitFor();
  await expectSound(watched);
});

it("opens a menu and a dialog by the keyboard, and returns the focus", async () => {
  const watched = await dashboard.openAdminPage();
  const { page } = watched;
  await page.goto("/design");
  const trigger = page.getByRole("button", { name: "Menu", exact: true });
  await trigger.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Start" }).waitFor();
  await expectSound(watched);
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Delete demo?" });
  await dialog.waitFor();
  await dialog.getByRole("button", { name: "Delete workspace" }).click();
  await dialog.getByRole("alert").getByText("Nothing was deleted").waitFor();
  await expectSound(watched);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});

it("does nothing by a disabled button, and says why", async () => {
  const { page } = await dashboard.openAdminPage();
  await page.goto("/design");
  const start = page.getByRole("button", { name: "Start (The workspace is already running)" });
  await expect.poll(() => start.getAttribute("aria-disabled")).toBe("true");
  await start.focus();
  expect(await page.evaluate("document.activeElement?.textContent")).toContain("already running");
});

it("scrolls nowhere sideways on a phone", async () => {
  const { page } = await dashboard.openAdminPage({ viewport: { width: 390, height: 844 } });
  await page.goto("/design");
  await page.getByRole("heading", { name: "Design system" }).waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await page.getByRole("button", { name: "Open navigation" }).click();
  await page.getByRole("link", { name: "Workspaces" }).click();
  await page.getByRole("heading", { name: "Workspaces" }).waitFor();
});
