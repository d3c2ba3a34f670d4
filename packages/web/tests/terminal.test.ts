import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeWorkspace, pushTemplate, startServerProcess } from "@slipway/testkit";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "./support/dashboard.ts";

/* Terminals in the page. */

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
const path = "/@admin/shells/terminal";

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
  const templateId = await pushTemplate(dashboard.admin, "shells", template);
  await makeWorkspace(
    dashboard.admin,
    "shells",
    templateId,
    ({ status }) => status === "connected",
  );
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Types a command into the terminal that is shown, and waits for its output. */
async function runCommand(page: Page, command: string, output: string): Promise<void> {
  await page.getByLabel("Terminal input").last().focus();
  await page.keyboard.type(`${command}\n`);
  await expectOutput(page, output);
}

async function expectOutput(page: Page, output: string): Promise<void> {
  await page.locator(".xterm-rows:visible").getByText(output).first().waitFor();
}

function tabsOf(page: Page): Locator {
  return page.getByRole("list", { name: "Terminals" }).getByRole("listitem");
}

async function waitForPrompt(page: Page): Promise<void> {
  await page.getByRole("button", { name: "End-to-end encrypted" }).waitFor();
}

describe("a terminal", () => {
  it("runs a shell, and is where it was after the page is loaded again", async () => {
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    await page.goto(path);
    await waitForPrompt(page);
    await runCommand(page, "echo number-$((6 * 7))", "number-42");
    await expectSound(watched);
    await page.reload();
    await expectOutput(page, "number-42");
    await runCommand(page, "echo again-$((6 * 7))", "again-42");
  });

  it.each([603, 610, 617])("shows all of its last row in a window of %d px", async (height) => {
    const { page } = await dashboard.openAdminPage();
    await page.setViewportSize({ width: 1_280, height });
    await page.goto(path);
    await waitForPrompt(page);
    const rows = await page.locator(".xterm-screen:visible").boundingBox();
    if (rows === null) throw new Error("the terminal shows no rows");
    expect(rows.y + rows.height).toBeLessThanOrEqual(height);
    expect(rows.x + rows.width).toBeLessThanOrEqual(1_280);
  });

  it("has a title that cannot be markup, nor turn the page around", async () => {
    const { page, problems } = await dashboard.openAdminPage();
    await page.goto(path);
    await waitForPrompt(page);
    const title = "<img src=x onerror=alert(1)>\\u202eevil";
    await runCommand(page, `printf '\\e]0;${title}\\a'; echo do''ne`, "done");
    const tab = tabsOf(page).getByText("<img src=x onerror=alert(1)>");
    await tab.waitFor();
    await expect.poll(() => tab.textContent()).toBe("<img src=x onerror=alert(1)>evil");
    expect(problems).toEqual([]);
  });

  it("finds text, and asks before it opens a link of a program", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto(path);
    await waitForPrompt(page);
    await runCommand(
      page,
      "printf '\\e]8;;https://elsewhere.example/\\e\\\\pl''ace\\e]8;;\\e\\\\\\n'",
      "place",
    );
    await page
      .locator(".xterm-rows:visible")
      .getByText("place", { exact: true })
      .click({ force: true });
    await page.getByRole("dialog", { name: "Open this link?" }).waitFor();
    await page.getByRole("dialog").getByText("https://elsewhere.example/").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByLabel("Find in terminal").fill("no such text");
    await page.getByText("No match").waitFor();
    await page.getByLabel("Find in terminal").fill("place");
    await page.getByText("No match").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.getByLabel("Find in terminal").waitFor({ state: "detached" });
    await page.keyboard.type("echo typed-$((6 * 7))\n");
    await expectOutput(page, "typed-42");
  });

  it("is shared by its address", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto(path);
    await waitForPrompt(page);
    await runCommand(page, "echo shared-$((6 * 7))", "shared-42");
    await page.getByRole("button", { name: "Share this terminal" }).click();
    const dialog = page.getByRole("dialog", { name: "Share this terminal" });
    const address = await dialog.getByText(/^http/).innerText();
    const { page: other } = await dashboard.openAdminPage();
    await other.goto(address);
    await expectOutput(other, "shared-42");
  });

  it("has tabs, which end when they are closed", async () => {
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    await page.goto(path);
    await waitForPrompt(page);
    await runCommand(page, "echo first-$((6 * 7))", "first-42");
    await page.getByRole("button", { name: "New terminal" }).click();
    await runCommand(page, "echo second-$((6 * 7))", "second-42");
    await expectSound(watched);
    await tabsOf(page).first().getByRole("button").first().click();
    await expectOutput(page, "first-42");
    await page.reload();
    await expectOutput(page, "first-42");
    await tabsOf(page).nth(1).getByRole("button").first().click();
    await expectOutput(page, "second-42");
    await page
      .getByRole("button", { name: /^Close / })
      .last()
      .click();
    await expectOutput(page, "first-42");
    await expect.poll(() => tabsOf(page).count()).toBe(1);
    // Another one that is closed leaves the one that is looked at.
    const add = page.getByRole("button", { name: "New terminal" });
    await add.click();
    await add.click();
    await tabsOf(page).first().getByRole("button").first().click();
    await tabsOf(page)
      .nth(1)
      .getByRole("button", { name: /^Close / })
      .click();
    await expect.poll(() => tabsOf(page).count()).toBe(2);
    await tabsOf(page).first().locator("[aria-current]").waitFor();
  });

  it("offers a new one once its program has ended", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto(path);
    await waitForPrompt(page);
    await page.getByLabel("Terminal input").focus();
    await page.keyboard.type("exit\n");
    await page.getByText("The program has ended.").waitFor();
    await page.getByRole("button", { name: "New terminal" }).last().click();
    await runCommand(page, "echo fresh-$((6 * 7))", "fresh-42");
  });

  it("has keys for a touch screen", async () => {
    const watched = await dashboard.openAdminPage({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const { page } = watched;
    await page.goto(path);
    await waitForPrompt(page);
    await runCommand(page, "sleep 600 # waits", "waits");
    await page.getByRole("button", { name: "Ctrl" }).tap();
    await page.getByRole("button", { name: "Control C" }).tap();
    await page.getByRole("button", { name: "Control C" }).waitFor({ state: "detached" });
    await runCommand(page, "echo back-$((6 * 7))", "back-42");
    await expectSound(watched);
  });
});

describe("a link with a command", () => {
  it("of another site asks before it runs", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto(`${path}?command=${encodeURIComponent("echo chosen by a stranger")}`);
    await page.getByRole("dialog", { name: "Run this command?" }).waitFor();
    await page.getByText("echo chosen by a stranger").waitFor();
    await page.getByRole("button", { name: "Open a shell instead" }).click();
    await waitForPrompt(page);
    await runCommand(page, "echo mine-$((6 * 7))", "mine-42");
    expect(page.url()).not.toContain("stranger");
  });

  it("runs once its user says so", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto(`${path}?command=${encodeURIComponent("echo sum-$((6 * 7)); sleep 60")}`);
    await page.getByRole("button", { name: "Run command" }).click();
    await expectOutput(page, "sum-42");
  });
});

it("survives a server that dies and comes back", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-web-crash-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const own = await openDashboard({ dataDir });
  onTestFinished(() => own[Symbol.asyncDispose]());
  const templateId = await pushTemplate(own.admin, "shells", template);
  await makeWorkspace(own.admin, "shells", templateId, ({ status }) => status === "connected");
  const { page } = await own.openAdminPage();
  await page.goto(path);
  await waitForPrompt(page);
  await runCommand(page, "echo before-$((6 * 7))", "before-42");
  await own.server.end("SIGKILL");
  await page.getByText("The connection was lost.").waitFor();
  await page.getByLabel("Terminal input").focus();
  await page.keyboard.type("echo typed-$((6 * 7))\n");
  const port = Number(new URL(own.server.url).port);
  const revived = await startServerProcess({ dataDir, port });
  onTestFinished(() => revived.end("SIGINT"));
  await expectOutput(page, "typed-42");
  await expectOutput(page, "before-42");
});
