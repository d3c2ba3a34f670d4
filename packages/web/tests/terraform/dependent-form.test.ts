import { listBuildParameters } from "@slipway/api/builds/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { pushVersion } from "@slipway/testkit";
import { buildTerraform, dependentFiles } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "../support/dashboard.ts";

/* Forms of a configuration whose parameters depend on each other, in a browser and with OpenTofu itself. */

const opened = new AsyncDisposableStack();
const patience = { timeout: 60_000, interval: 100 };
let dashboard: Dashboard;

beforeAll(async () => {
  const { program, configFile } = await buildTerraform();
  const environment = {
    SLIPWAY_TERRAFORM: program,
    SLIPWAY_TERRAFORM_CONFIG: configFile,
    SLIPWAY_TERRAFORM_USERS: "server",
  };
  dashboard = opened.use(await openDashboard({ environment }));
  const { "main.tf": main = "", ...more } = dependentFiles;
  const version = await pushVersion(dashboard.admin, main, { file: "main.tf", more });
  const body = { name: "dependent", template_version_id: version };
  await dashboard.admin.call(createTemplate, { params: { organization: "default" }, body });
}, 1_200_000);
afterAll(() => opened.disposeAsync());

async function valuesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const params = { user: "me", name };
  const { latest_build: build } = await dashboard.admin.call(getWorkspaceByName, { params });
  const found = await dashboard.admin.call(listBuildParameters, { params: { build: build.id } });
  return Object.fromEntries(found.map((one) => [one.name, one.value]));
}

it("follows the values while one types, and sends what there is in the end", async () => {
  const watched = await dashboard.openAdminPage();
  const { page } = watched;
  page.setDefaultTimeout(patience.timeout);
  await page.goto("/templates/dependent/workspace?name=follows");
  const quota = page.getByLabel(/^quota/);
  await quota.waitFor();
  expect(await quota.inputValue()).toBe("admin");
  const theme = page.getByLabel(/^theme/);
  expect(await theme.count()).toBe(0);

  await page.getByLabel("gpu", { exact: true }).click();
  // The answer comes while another field has the focus.
  await quota.fill("mine");
  await theme.waitFor();
  expect(await quota.inputValue()).toBe("mine");
  expect(await page.locator(":focus").getAttribute("id")).toBe(await quota.getAttribute("id"));
  await theme.fill("light");
  await page.getByLabel(/^gpus/).fill("9");
  await page.getByText("found 9, wanted at most 4").waitFor();

  await page.getByLabel("gpu", { exact: true }).click();
  await theme.waitFor({ state: "detached" });
  await page.getByLabel("gpu", { exact: true }).click();
  await theme.waitFor();
  // A field that came back has what was typed into it.
  expect(await theme.inputValue()).toBe("light");
  await page.getByLabel(/^gpus/).fill("2");
  await expectSound(watched);
  // Sent before the answer to the last value has come.
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL("**/@admin/follows*");
  expect(await valuesOf("follows")).toEqual({
    gpu: "true",
    gpus: "2",
    region: "eu",
    zone: "eu-1",
    quota: "mine",
    theme: "light",
  });
});

it("follows the values of a workspace that is changed", async () => {
  const watched = await dashboard.openAdminPage();
  const { page } = watched;
  page.setDefaultTimeout(patience.timeout);
  await page.goto("/@admin/follows/settings#parameters");
  const gpus = page.getByLabel(/^gpus/);
  await gpus.waitFor();
  expect(await gpus.inputValue()).toBe("2");
  await page.getByLabel("gpu", { exact: true }).click();
  await gpus.waitFor({ state: "detached" });
  const start = page.getByRole("button", { name: "Start with these values…" });
  await start.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("gpu: true false").waitFor();
  expect(await dialog.textContent()).not.toMatch(/gpus|theme/);
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
  await expect
    .poll(() => valuesOf("follows"), patience)
    .toEqual({ gpu: "false", region: "eu", zone: "eu-1", quota: "mine" });
  await expectSound(watched);
});
