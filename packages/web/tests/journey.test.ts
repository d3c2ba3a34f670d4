import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { listPrebuildPools } from "@slipway/api/prebuilds/routes";
import { testAdmin } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import { openDashboard } from "./support/dashboard.ts";

/*
 * The way of a newcomer, from the first page to a workspace that is gone. `SLIPWAY_PICTURES=true` also takes the
 * pictures of the guides.
 */

const pictures = fileURLToPath(new URL("../../../docs/pictures", import.meta.url));
const template = `
driver: process
presets:
  ready: { prebuilds: { instances: 1 } }
agents:
  main:
    os: linux
    arch: amd64
    metadata:
      load: { display_name: Load, interval: 10s, timeout: 1s, run: "cut -d' ' -f1 /proc/loadavg" }
    scripts:
      prepare: { run_on: [start], run: "echo ready" }
`;

async function takePicture(page: Page, name: string): Promise<void> {
  if (process.env["SLIPWAY_PICTURES"] !== "true") return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png` });
}

it("leads from the first page to a workspace that is gone", async () => {
  await using dashboard = await openDashboard();
  const { page } = await dashboard.openPage();

  // Logs in.
  await page.goto("/");
  await page.getByLabel("Email").fill(testAdmin.email);
  await page.getByLabel("Password").fill(testAdmin.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { name: "Workspaces" }).waitFor();

  // Makes a template from a file.
  await page.getByRole("link", { name: "Templates" }).click();
  await page.getByRole("button", { name: "New template" }).click();
  await page.getByRole("radio", { name: /^Your own file/ }).check();
  const file = { name: "slipway.yaml", mimeType: "text/yaml", buffer: Buffer.from(template) };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByLabel("Name").fill("box");
  await page.getByRole("button", { name: "Create template" }).click();
  await page.waitForURL("**/templates/box");
  await page.getByText("1 prebuilt").waitFor();
  await takePicture(page, "template");

  // Claims a workspace that waits.
  await expect
    .poll(async () => (await dashboard.admin.call(listPrebuildPools))[0]?.eligible)
    .toBe(1);
  await page.goto("/templates/box/workspace?name=mine");
  await page.getByRole("radio", { name: /^ready/ }).check();
  const create = page.getByRole("button", { name: "Create workspace", exact: true });
  await create.waitFor();
  await takePicture(page, "create");
  await create.click();
  await page.waitForURL("**/@admin/mine*");
  await page.getByText("Connected, started and reached by the server.").waitFor();
  await takePicture(page, "workspace");

  // Works in a terminal, end-to-end encrypted.
  await page.goto("/@admin/mine/terminal");
  await page.getByRole("button", { name: "End-to-end encrypted" }).waitFor();
  await page.getByLabel("Terminal input").focus();
  await page.keyboard.type("echo sum-$((6 * 7))\n");
  await page.locator(".xterm-rows").getByText("sum-42").first().waitFor();
  await takePicture(page, "terminal");

  // Sees the ports of the workspace.
  await page.goto("/@admin/mine");
  await page
    .getByRole("navigation", { name: "Agent main" })
    .getByRole("link", { name: "Ports" })
    .click();
  await page.getByRole("region", { name: "main" }).first().waitFor();

  // Finds it in the list, stops it, and deletes it.
  await page.goto("/workspaces");
  await page.getByRole("link", { name: "mine" }).first().waitFor();
  await takePicture(page, "workspaces");
  await page.goto("/@admin/mine");
  await page.getByRole("button", { name: "Stop" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Stop/ }).click();
  await page.getByText("Stopped").first().waitFor();
  await page.goto("/@admin/mine/settings");
  await page.getByRole("button", { name: "Delete workspace…" }).click();
  await dialog.getByLabel("Type mine to confirm").fill("mine");
  await dialog.getByRole("button", { name: "Delete workspace", exact: true }).click();
  await page.getByText("This workspace is deleted.").waitFor();
}, 180_000);
