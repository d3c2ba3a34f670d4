import { getPrebuildsSettings, updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { listTemplates } from "@slipway/api/templates/routes";
import {
  archiveTemplateVersions,
  updateActiveVersion,
} from "@slipway/api/templates/version-routes";
import { freshName, pushTemplate, pushVersion } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { shownMarkup } from "./support/hostile-text.ts";

/* Templates: from an example or a file to a new version that is promoted; and the pools of their presets. */

const definition = `driver: process
display_name: "<img src=x onerror=alert(1)>\\u202Egnp"
description: "<b>bold</b>"
parameters:
  color: { type: string, default: none, mutable: true }
presets:
  ready:
    parameters: { color: blue }
    prebuilds: { instances: 1 }
agents:
  main:
    os: linux
    arch: amd64
`;

const plain = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

let dashboard: Dashboard;
let watched: WatchedPage;
let page: Page;
/** The template that was made from a file. */
let box = "";

beforeAll(async () => {
  dashboard = await openDashboard({ environment: { SLIPWAY_PROCESS_DRIVER: "true" } });
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

async function chooseFile(on: Page, text: string): Promise<void> {
  await on.getByRole("button", { name: "New template" }).click();
  await on.getByRole("radio", { name: /^Your own file/ }).check();
  await on.getByLabel("File", { exact: true }).setInputFiles({
    name: "slipway.yaml",
    mimeType: "text/yaml",
    buffer: Buffer.from(text),
  });
}

describe("a template", () => {
  it("is refused with the lines that are wrong", async () => {
    const { page: own } = await dashboard.openAdminPage();
    await own.goto("/templates");
    await chooseFile(own, "driver: process\nagnets: {}\n");
    await own.getByLabel("Name").fill("broken");
    await own.getByRole("button", { name: "Create template" }).click();
    await own.getByRole("alert").getByText("has 2 problems").waitFor();
    await own.getByLabel("Log of the import").getByText("2:1").waitFor();
  });

  it("is made from a file, whose texts are text", async () => {
    await page.goto("/templates");
    await chooseFile(page, definition);
    await expectSound(watched);
    box = freshName("box");
    await page.getByLabel("Name").fill(box);
    await page.getByRole("button", { name: "Create template" }).click();
    await page.waitForURL(`**/templates/${box}`);
    await page.getByText("1 prebuilt").waitFor();
    await expectSound(watched);
    await page.goto(`/templates?q=${box}`);
    await page.getByRole("link", { name: shownMarkup }).waitFor();
    await expectSound(watched);
    expect(await page.locator("main img").count()).toBe(0);
  });

  it("is made from an example", async () => {
    await page.goto("/templates");
    await page.getByRole("button", { name: "New template" }).click();
    const example = page.getByRole("radio").first();
    await example.check();
    const name = freshName("second");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Create template" }).click();
    await page.waitForURL(`**/templates/${name}`);
    await page.getByText("Users with a workspace").waitFor();
  });

  it("is edited, checked as one types, saved, tried and promoted", async () => {
    const name = freshName("edited");
    await pushTemplate(dashboard.admin, name, definition);
    await page.goto(`/templates/${name}`);
    await page.getByRole("link", { name: "Edit" }).click();
    const area = page.getByRole("textbox", { name: "Definition" });
    await area.waitFor();
    await expect.poll(() => area.inputValue()).toBe(definition);
    await page.getByText("No problems").waitFor();
    await area.fill(definition.replace("agents:", "agnets:"));
    const problem = page.getByRole("list", { name: "Problems" }).getByText(/^10:1/);
    await problem.waitFor();
    await expectSound(watched);
    await page
      .getByRole("button", { name: "Save as new version (Fix the problems first)" })
      .waitFor();
    await problem.click();
    expect(await area.evaluate("document.activeElement.selectionStart")).toBe(
      definition.indexOf("agents:"),
    );
    await area.fill(definition.replace("color: blue", "color: green"));
    await page.getByLabel("Message").fill("Paint it green");
    await page.getByRole("button", { name: "Save as new version" }).click();
    await page.getByText(/^Saved as/).waitFor();
    await page.getByRole("button", { name: "Plan a workspace" }).click();
    await page.getByRole("list", { name: "Planned resources" }).waitFor();
    await expectSound(watched);
    await page.getByRole("button", { name: "Promote…" }).click();
    await page.getByRole("button", { name: "Promote version" }).click();
    await page.getByRole("button", { name: "Promote… (It is already active)" }).waitFor();
    await page.getByRole("link", { name: "Changes" }).click();
    await page.getByText("parameters: { color: green }").waitFor();
    await page.getByText("parameters: { color: blue }").waitFor();
    await expectSound(watched);
  });

  it("asks before an edited text is left", async () => {
    await page.goto(`/templates/${box}`);
    await page.getByRole("link", { name: "Edit" }).click();
    const area = page.getByRole("textbox", { name: "Definition" });
    await area.fill("driver: process\n");
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => area.inputValue()).toBe("driver: process\n");
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.waitForURL(`**/templates/${box}`);
  });

  it("lists its versions, and archives one that is not active", async () => {
    const { admin } = dashboard;
    const [template] = await admin.call(listTemplates, { query: { q: `exact_name:${box}` } });
    const templateId = template?.id ?? "";
    const id = await pushVersion(admin, definition, { templateId });
    await admin.call(updateActiveVersion, { params: { template: templateId }, body: { id } });
    await page.goto(`/templates/${box}/versions`);
    const old = page.getByRole("row").filter({ hasText: "First version" });
    await old.getByRole("button", { name: /^Actions for/ }).click();
    await page.getByRole("menuitem", { name: "Promote…" }).waitFor();
    await expectSound(watched);
  });

  it("archives the versions whose import failed, and says how many", async () => {
    const [template] = await dashboard.admin.call(listTemplates, {
      query: { q: `exact_name:${box}` },
    });
    const templateId = template?.id ?? "";
    await dashboard.admin.call(archiveTemplateVersions, {
      params: { template: templateId },
      body: { all: false },
    });
    await expect(pushVersion(dashboard.admin, "driver: none\n", { templateId })).rejects.toThrow(
      "import failed",
    );
    await page.goto(`/templates/${box}/versions`);
    await page.getByRole("button", { name: "Archive failed…" }).click();
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await page.getByText("1 version archived.").waitFor();
    await page.getByRole("row", { name: "Failed" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Archive failed…" }).click();
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await page.getByText("0 versions archived.").waitFor();
  });

  it("draws how many people used it each day", async () => {
    const { page: own } = await dashboard.openAdminPage();
    const entries = [
      { date: "2026-01-30", amount: 0 },
      { date: "2026-01-31", amount: 4 },
      { date: "2026-02-01", amount: 2 },
    ];
    await own.route("**/templates/*/daus?*", (route) =>
      route.fulfill({ json: { entries, tz_hour_offset: 0 } }),
    );
    await own.goto(`/templates/${box}`);
    const days = own.getByRole("list", { name: "Users by day" }).getByRole("listitem");
    await expect
      .poll(() => days.allTextContents())
      .toEqual(["2026-01-30: 0", "2026-01-31: 4", "2026-02-01: 2"]);
    const bars = await days.locator("div").all();
    const heights = await Promise.all(bars.map((bar) => bar.getAttribute("style")));
    expect(heights).toEqual(["height: 2%;", "height: 100%;", "height: 50%;"]);
  });

  it("has settings, says what is wrong at the field, and is deleted", async () => {
    const { page: other } = await dashboard.openAdminPage();
    const name = freshName("second");
    await pushTemplate(dashboard.admin, name, plain);
    await other.goto(`/templates/${name}/settings`);
    await other.getByLabel("Display name").fill("Second");
    await other.getByLabel("Stop after").fill("8");
    await other.getByLabel("Clean up failures after").fill("0.001");
    await other.getByRole("button", { name: "Save settings" }).click();
    await other.locator("[aria-invalid]").waitFor();
    await other.getByLabel("Clean up failures after").fill("1");
    await other.getByRole("button", { name: "Save settings" }).click();
    await other.getByText("Settings saved.").waitFor();
    await other.getByRole("heading", { name: "Second" }).waitFor();
    await other.getByRole("checkbox", { name: "Sunday" }).check();
    await other.getByLabel("Interval in weeks").fill("2");
    await other.getByLabel("Icon").fill("/icon/go.svg");
    await other.getByLabel("Description").fill("One line.\nAnother.");
    await other.getByLabel("Cross-origin requests").selectOption("passthru");
    await other.getByRole("button", { name: "Save settings" }).click();
    await other.getByRole("button", { name: "Save settings (Nothing has changed)" }).waitFor();
    await other.reload();
    await expect.poll(() => other.getByRole("checkbox", { name: "Sunday" }).isChecked()).toBe(true);
    await expect.poll(() => other.getByLabel("Interval in weeks").inputValue()).toBe("2");
    await expect.poll(() => other.getByLabel("Icon").inputValue()).toBe("/icon/go.svg");
    expect(await other.getByLabel("Description").inputValue()).toBe("One line.\nAnother.");
    await expect
      .poll(() => other.getByLabel("Cross-origin requests").inputValue())
      .toBe("passthru");
    await other.getByRole("button", { name: "Delete template…" }).click();
    await other.getByRole("button", { name: "Delete template", exact: true }).click();
    await other.waitForURL("**/templates");
  });
});

describe("a pool", () => {
  it("shows what it has, and is paused after a warning", async () => {
    const { admin } = dashboard;
    const settings = await admin.call(getPrebuildsSettings);
    // A repetition may begin with paused pools.
    if (settings.reconciliation_paused) {
      await admin.call(updatePrebuildsSettings, { body: { reconciliation_paused: false } });
    }
    await page.goto("/pools");
    await page.getByText(`${box} / ready`).first().waitFor();
    await page
      .getByRole("img", { name: /^Now desired/ })
      .first()
      .waitFor();
    await expectSound(watched);
    await page.getByRole("button", { name: "Pause…" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Pools are paused.", { exact: true }).first().waitFor();
    await expectSound(watched);
    await page.getByRole("button", { name: "Resume…" }).click();
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByText("Pools are resumed.").waitFor();
    await page.getByRole("button", { name: "Replace…" }).first().click();
    await page.getByRole("button", { name: "Replace workspaces" }).click();
    await page.getByText("are being replaced").waitFor();
  });
});

describe("a member", () => {
  it("sees templates without changing them, and no pools", async () => {
    const members = await dashboard.openUserPage("ann");
    await members.page.goto(`/templates/${box}`);
    await members.page.getByRole("heading", { name: shownMarkup }).waitFor();
    await members.page
      .getByRole("button", { name: "Edit (Only owners and template admins can change templates)" })
      .waitFor();
    await expectSound(members);
    await members.page.getByRole("link", { name: "Versions" }).click();
    await members.page.getByRole("link").filter({ hasText: /^\w+$/ }).first().waitFor();
    expect(await members.page.getByRole("link", { name: "Pools" }).count()).toBe(0);
    await members.page.goto("/pools");
    await members.page.getByText("You do not have access to this page").waitFor();
    await expectSound(members);
  });
});
