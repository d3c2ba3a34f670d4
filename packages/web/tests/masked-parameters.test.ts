import { listBuildParameters } from "@slipway/api/builds/routes";
import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { freshName, pushTemplate, pushVersion, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard, type UserPage } from "./support/dashboard.ts";
import { researchTemplate } from "./support/research-template.ts";
import { styleParameters } from "./support/styled-parameters.ts";

/* Fields as a template styles them, and values that it hides. */

let dashboard: Dashboard;
let templateId = "";

beforeAll(async () => {
  dashboard = await openDashboard();
  templateId = await pushTemplate(dashboard.admin, "research", researchTemplate);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Makes a workspace of a new user that has secrets in its values, and opens a page on which the user is logged in. */
async function openSecrets(ofTemplate: string): Promise<UserPage> {
  const opened = await dashboard.openUserPage("sue");
  const body = {
    name: "styled",
    template_id: ofTemplate,
    rich_parameter_values: [
      { name: "notes", value: "a secret" },
      { name: "repository", value: "https://git.example/z" },
    ],
  };
  const params = { user: "me" };
  const { id } = await opened.client.call(createWorkspace, { params, body });
  await waitForWorkspace(opened.client, id, (one) => one.latest_build.status === "running");
  return opened;
}

const masked = {
  notes: { mask_input: true, placeholder: "Nobody reads along" },
  repository: { mask_input: true, placeholder: "https://…" },
};

it("shows fields as the template styles them", async () => {
  const watched = await dashboard.openUserPage("sid");
  const { page, client, user } = watched;
  await styleParameters(page, {
    region: { disabled: true },
    memory: { disabled: true, placeholder: "8" },
    gpu: { label: "Attach \u202E a card" },
    hosts: { placeholder: "<b>host" },
    ...masked,
  });
  await page.goto("/templates/research/workspace?param.gpu=true");
  const repository = page.getByLabel("repository", { exact: true });
  await repository.waitFor();
  await expect.poll(() => repository.getAttribute("type")).toBe("password");
  await expect.poll(() => repository.getAttribute("placeholder")).toBe("https://…");
  const notes = page.getByLabel(/^notes/);
  const drawnAs = (): Promise<unknown> =>
    page.evaluate(
      "getComputedStyle(document.querySelector('textarea')).getPropertyValue('-webkit-text-security')",
    );
  expect(await drawnAs()).toBe("none");
  await notes.fill("a secret");
  expect(await drawnAs()).toBe("disc");
  await expect.poll(() => page.getByLabel("Frankfurt").isDisabled()).toBe(true);
  await expect.poll(() => page.getByLabel(/^memory/).isDisabled()).toBe(true);
  await page.getByText("The template sets this value.").first().waitFor();
  await expect
    .poll(() => page.getByLabel("Add to hosts").getAttribute("placeholder"))
    .toBe("<b>host");
  const card = page
    .getByRole("group", { name: /^With a GPU/ })
    .getByRole("checkbox", { name: "Attach a card" });
  await expect.poll(() => card.isChecked()).toBe(true);
  await card.uncheck();
  await repository.fill("https://git.example/z");
  await expectSound(watched);
  await page.getByLabel("Name", { exact: true }).fill("styled");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(`**/@${user.username}/styled`);
  const { latest_build: build } = await client.call(getWorkspaceByName, {
    params: { user: "me", name: "styled" },
  });
  const values = await client.call(listBuildParameters, { params: { build: build.id } });
  expect(values).toEqual(
    expect.arrayContaining([
      { name: "gpu", value: "false" },
      { name: "region", value: "eu" },
      { name: "notes", value: "a secret" },
      { name: "repository", value: "https://git.example/z" },
    ]),
  );
});

it("shows no masked value until one asks for it, wherever a workspace has it", async () => {
  const watched = await openSecrets(templateId);
  const { page } = watched;
  const address = `/@${watched.user.username}/styled`;
  await styleParameters(page, masked);
  await page.goto(address);
  const details = page.locator("section").filter({ hasText: "Details" });
  await details.getByText("••••••••").first().waitFor();
  await expectSound(watched);
  expect(await page.content()).not.toMatch(/git\.example|a secret/);
  await details.getByRole("button", { name: "Show repository" }).click();
  await details.getByText("https://git.example/z").waitFor();
  expect(await page.content()).not.toContain("a secret");
  await details.getByRole("button", { name: "Hide repository" }).click();
  await details.getByText("https://git.example/z").waitFor({ state: "hidden" });

  await page.goto(`${address}/settings#parameters`);
  const repository = page.getByLabel("repository", { exact: true });
  await repository.waitFor();
  await expect.poll(() => repository.getAttribute("type")).toBe("password");
  await page.getByRole("button", { name: "Show repository" }).click();
  await expect.poll(() => repository.getAttribute("type")).toBe("text");
  await repository.fill("https://git.example/new");
  await page.getByLabel(/^memory/).fill("12");
  await expectSound(watched);
  await page.getByRole("button", { name: "Start with these values…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("repository: a new value").waitFor();
  await dialog.getByText("memory: 8 12").waitFor();
  expect(await dialog.textContent()).not.toContain("git.example");
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });

  await page.goto(`${address}/builds/2`);
  await page.getByRole("row", { name: "memory 12 changed was 8" }).waitFor();
  // Lists are shown as words.
  await page.getByRole("row", { name: "tools go unchanged" }).waitFor();
  await page.getByRole("row", { name: "hosts none unchanged" }).waitFor();
  const row = page.getByRole("row", { name: /^repository/ });
  await row.getByText("changed").waitFor();
  expect(await page.content()).not.toMatch(/git\.example|a secret/);
  await row.getByRole("button", { name: "Show repository" }).click();
  await row.getByText("https://git.example/new").waitFor();
  await expectSound(watched);
});

it("masks every value of a version that cannot be read", async () => {
  const { page, user } = await openSecrets(templateId);
  await page.route("**/dynamic-parameters/evaluate", (route) =>
    route.fulfill({ status: 404, json: { message: "Resource not found" } }),
  );
  await page.goto(`/@${user.username}/styled/builds/1`);
  await page.getByRole("button", { name: "Show region" }).waitFor();
  const hidden = page.getByRole("table", { name: "Parameters" }).getByText("••••••••");
  await expect.poll(() => hidden.count()).toBe(10);
});

it("hides masked values in the lines of presets", async () => {
  const { page } = await dashboard.openAdminPage();
  await styleParameters(page, masked);
  await page.goto("/templates/research");
  await page.getByText("cpus: 16, repository: ••••••••").waitFor();
});

it("asks for a new masked parameter with a masked field", async () => {
  const ownTemplate = await pushTemplate(dashboard.admin, freshName("research"), researchTemplate);
  const watched = await openSecrets(ownTemplate);
  const { page, user } = watched;
  await styleParameters(page, { key: { mask_input: true } });
  const next = `
driver: external
parameters: { key: { type: string, mutable: true } }
agents: { main: { os: linux, arch: amd64 } }
`;
  const version = await pushVersion(dashboard.admin, next, { templateId: ownTemplate });
  await dashboard.admin.call(updateActiveVersion, {
    params: { template: ownTemplate },
    body: { id: version },
  });
  await page.goto(`/@${user.username}/styled`);
  await page.getByRole("button", { name: "Update", exact: true }).click();
  const key = page.getByRole("dialog").getByLabel("key", { exact: true });
  await key.waitFor();
  await expect.poll(() => key.getAttribute("type")).toBe("password");
  await expectSound(watched);
});
