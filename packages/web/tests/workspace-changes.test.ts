import { updateTemplate } from "@slipway/api/templates/routes";
import { updateActiveVersion, updateTemplateVersion } from "@slipway/api/templates/version-routes";
import { createWorkspace, extendWorkspace, updateDormancy } from "@slipway/api/workspaces/routes";
import type { ApiClient } from "@slipway/sdk/http";
import { freshName, pushTemplate, pushVersion, waitForWorkspace } from "@slipway/testkit";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "./support/dashboard.ts";

/* Updates, schedules and dormancy, which need no agent. */

const hourMs = 3_600_000;
const hostile = "<img src=x onerror=alert(1)>\u202Egnp";
const shown = "<img src=x onerror=alert(1)>gnp";
const agents = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

interface MakeOptions {
  /** The API with the session of the owner (default: the administrator's). */
  readonly client?: ApiClient;
  readonly rich_parameter_values?: { readonly name: string; readonly value: string }[];
}

async function make(
  name: string,
  templateId: string,
  { client = dashboard.admin, ...rest }: MakeOptions = {},
): Promise<string> {
  const { id } = await client.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId, ...rest },
  });
  await waitForWorkspace(client, id, (one) => one.latest_build.status === "running");
  return id;
}

async function setRules(templateId: string, body: Readonly<Record<string, number>>): Promise<void> {
  await dashboard.admin.call(updateTemplate, { params: { template: templateId }, body });
}

/** Makes another version the template's active one. */
async function promote(templateId: string, yaml: string, message: string): Promise<void> {
  const { admin } = dashboard;
  const version = await pushVersion(admin, yaml, { templateId });
  await admin.call(updateTemplateVersion, { params: { version }, body: { message } });
  await admin.call(updateActiveVersion, {
    params: { template: templateId },
    body: { id: version },
  });
}

function schedulePanel(page: Page): Locator {
  const heading = page.getByRole("heading", { name: "Schedule" });
  return page.locator("section").filter({ has: heading });
}

async function openWorkspace(name: string): Promise<Page> {
  const { page } = await dashboard.openAdminPage();
  await page.goto(`/@admin/${name}`);
  await page.getByRole("heading", { name }).waitFor();
  return page;
}

describe("an update", () => {
  const push = (): Promise<string> => pushTemplate(dashboard.admin, freshName("updated"), agents);
  const parameters = `parameters:
  region: { type: string, mutable: true, description: ${JSON.stringify(hostile)} }
  size: { type: string, default: small, mutable: true }
`;

  it("says what will change, asks for what is new, and starts with it", async () => {
    const [name, templateId] = [freshName("alpha"), await push()];
    await make(name, templateId);
    await promote(templateId, `${parameters}${agents}`, hostile);
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    await page.goto(`/@admin/${name}`);
    await page.getByText("Update available").waitFor();
    await page.getByRole("button", { name: "Update", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `Update ${name}?` });
    await dialog.getByRole("blockquote").getByText(shown).waitFor();
    await dialog.getByText("It is running: its processes and connections may end.").waitFor();
    await dialog.getByRole("button", { name: /Fill in the new parameters/ }).waitFor();
    await expectSound(watched);
    expect(await page.content()).not.toContain("\u202E");
    await dialog.getByLabel("region").fill("north");
    await dialog.getByRole("button", { name: "Update and start", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByText("Update available").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Builds" }).click();
    await page.getByRole("row", { name: /#2 Start Succeeded/ }).waitFor();
    await page.getByRole("link", { name: "#2 Start" }).click();
    await page.getByRole("row", { name: /^region north/ }).waitFor();
  });

  it("shows a value that the template refuses at its field", async () => {
    const choice = `parameters:
  region: { type: string, mutable: true, validation: { regex: "^n", error: "must begin with n" } }
  zone: { type: string, mutable: true, validation: { regex: "^z", error: "must begin with z" } }
`;
    const [name, templateId] = [freshName("omega"), await push()];
    await make(name, templateId);
    await promote(templateId, `${choice}${agents}`, "");
    const page = await openWorkspace(name);
    await page.getByRole("button", { name: "Update", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `Update ${name}?` });
    await dialog.getByLabel("region").fill("north");
    await dialog.getByLabel("zone").fill("a");
    await dialog.getByRole("button", { name: "Update and start", exact: true }).click();
    const field = dialog.getByLabel("zone");
    await expect.poll(() => field.getAttribute("aria-invalid")).toBe("true");
    await dialog.getByText("must begin with z").first().waitFor();
    await field.fill("z1");
    await dialog.getByRole("button", { name: "Update and start", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
  });

  it("of all of one's own tells which could not be done", async () => {
    const watched = await dashboard.openUserPage("una");
    const { page, client, user } = watched;
    const templateId = await push();
    const values = [{ name: "region", value: "north" }];
    await promote(templateId, `${parameters}${agents}`, "");
    await make("alpha", templateId, { client, rich_parameter_values: values });
    await promote(templateId, agents, "");
    await Promise.all(["beta", "gamma"].map((name) => make(name, templateId, { client })));
    await promote(templateId, `${parameters}${agents}`, "");
    await page.goto("/workspaces");
    await page.getByRole("button", { name: "Update all mine (3)" }).click();
    const dialog = page.getByRole("dialog", { name: "Update 3 workspaces?" });
    await expectSound(watched);
    await dialog.getByRole("button", { name: "Update 3 workspaces" }).click();
    await dialog.getByText("Failed for 2 of 3 workspaces").waitFor();
    await dialog.getByText(new RegExp(`^${user.username}/beta: .*region`)).waitFor();
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await promote(templateId, agents, "");
    await page.reload();
    await page.getByRole("button", { name: "Update all mine (3)" }).click();
    await dialog.getByRole("button", { name: "Update 3 workspaces" }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: /^Update all mine/ }).waitFor({ state: "detached" });
  });
});

describe("the schedule", () => {
  /** Has a workspace stop after this time, as another client would. */
  async function stopIn(id: string, ms: number): Promise<void> {
    const deadline = new Date(Date.now() + ms).toISOString();
    await dashboard.admin.call(extendWorkspace, { params: { workspace: id }, body: { deadline } });
  }

  let templateId = "";

  beforeAll(async () => {
    templateId = await pushTemplate(dashboard.admin, freshName("timed"), agents);
    await setRules(templateId, { default_ttl_ms: 8 * hourMs, activity_bump_ms: hourMs });
  });

  it("says why a workspace is still on, and until when", async () => {
    const name = freshName("day");
    const id = await make(name, templateId);
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    await page.goto(`/@admin/${name}`);
    const panel = schedulePanel(page);
    await panel.getByText(/^It stops in 8 hours/).waitFor();
    await panel.getByText(/^Its time to live is 8 h from its start/).waitFor();
    await panel.getByText(/it stays on for at least 1 h more/).waitFor();
    await panel.getByRole("button", { name: "+ 1 hour" }).click();
    await panel.getByText(/^It stops in 9 hours/).waitFor();
    await panel.getByText(/Activity or a person has postponed the deadline/).waitFor();
    await expectSound(watched);
    // Another person's change arrives by the stream.
    await stopIn(id, 3 * hourMs);
    await panel.getByText(/^It stops in 3 hours/).waitFor();
    await panel.getByText(/someone has brought the deadline forward/).waitFor();
    await page.route("**/extend", (route) =>
      route.fulfill({ status: 400, json: { message: "Not so late." } }),
    );
    await panel.getByRole("button", { name: "+ 4 hours" }).click();
    await panel.getByText("Not so late.").waitFor();
  });

  it("takes a time to stop at, and says what is wrong with one", async () => {
    const name = freshName("day");
    await make(name, templateId);
    const page = await openWorkspace(name);
    const panel = schedulePanel(page);
    await panel.getByRole("button", { name: "Until…" }).click();
    const dialog = page.getByRole("dialog", { name: "Keep it on until" });
    await dialog.getByLabel("Stops at").fill("2020-01-01T00:00");
    await dialog.getByRole("button", { name: "Set" }).click();
    await dialog.getByRole("alert").waitFor();
    const later = new Date(Date.now() + 30 * hourMs);
    const local = new Date(later.getTime() - later.getTimezoneOffset() * 60_000);
    await dialog.getByLabel("Stops at").fill(local.toISOString().slice(0, 16));
    await dialog.getByRole("button", { name: "Set" }).click();
    await dialog.waitFor({ state: "hidden" });
    await panel.getByText(/^It stops tomorrow/).waitFor();
  });

  it("keeps what a stream has said, whatever an older answer says later", async () => {
    const { page } = await dashboard.openAdminPage();
    const [read, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ended = Promise.withResolvers<void>();
    const name = freshName("day");
    const id = await make(name, templateId);
    await stopIn(id, 3 * hourMs);
    await page.goto(`/@admin/${name}`);
    const panel = schedulePanel(page);
    await panel.getByText(/^It stops in 3 hours/).waitFor();
    // The page cancels a read when the stream tells it more, so the change ends only once the stream has told of it.
    await page.route("**/extend", async (route) => {
      const response = await route.fetch({ maxRetries: 2 });
      await panel.getByText(/^It stops in 7 hours/).waitFor();
      await route.fulfill({ response });
    });
    // The answer to the read after the change is old by the time it arrives.
    await page.route(`**/api/v2/users/admin/workspace/${name}*`, async (route) => {
      const response = await route.fetch({ maxRetries: 2 }).catch((error: unknown) => {
        read.reject(error);
        throw error;
      });
      read.resolve();
      await released.promise;
      // Rejects if the page has canceled the request.
      await route.fulfill({ response }).catch(() => undefined);
      ended.resolve();
    });
    await panel.getByRole("button", { name: "+ 4 hours" }).click();
    await read.promise;
    await stopIn(id, 5 * hourMs);
    await panel.getByText(/^It stops in 5 hours/).waitFor();
    released.resolve();
    await ended.promise;
    await page.evaluate("fetch('/healthz').then((answer) => answer.text())");
    expect(await panel.getByText(/^It stops in 5 hours/).count()).toBe(1);
  });

  it("is changed while the browser has no network but that to the server", async () => {
    const { page } = await dashboard.openAdminPage();
    const name = freshName("day");
    await stopIn(await make(name, templateId), 3 * hourMs);
    await page.goto(`/@admin/${name}`);
    const panel = schedulePanel(page);
    await panel.getByText(/^It stops in 3 hours/).waitFor();
    await page.evaluate("dispatchEvent(new Event('offline'))");
    await panel.getByRole("button", { name: "+ 4 hours" }).click();
    await panel.getByText(/^It stops in 7 hours/).waitFor();
    await page.getByRole("link", { name: "Builds" }).click();
    await page.getByRole("row", { name: /#1 Start Succeeded/ }).waitFor();
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByText("The template’s default is 8 h.").waitFor();
  });
});

describe("dormancy", () => {
  it("is told with the time, and ends with a start", async () => {
    const templateId = await pushTemplate(dashboard.admin, freshName("unused"), agents);
    await setRules(templateId, {
      time_til_dormant_ms: 48 * hourMs,
      time_til_dormant_autodelete_ms: 72 * hourMs,
    });
    const name = freshName("quiet");
    const id = await make(name, templateId);
    const watched = await dashboard.openAdminPage();
    const { page } = watched;
    await page.goto(`/@admin/${name}`);
    await page.getByRole("heading", { name }).waitFor();
    await dashboard.admin.call(updateDormancy, {
      params: { workspace: id },
      body: { dormant: true },
    });
    await page.getByText("Dormant", { exact: true }).waitFor();
    const panel = schedulePanel(page);
    await panel.getByText(/^It became dormant just now/).waitFor();
    await panel.getByText(/^Unless it is used, it is deleted in 3 days/).waitFor();
    await expectSound(watched);
    await page.goto("/workspaces?q=dormant:true");
    await page.getByRole("row").filter({ hasText: name }).getByText("Dormant").waitFor();
    await page.goto(`/@admin/${name}`);
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `Start ${name}?` });
    await dialog.getByText("It is dormant; starting it makes it active again.").waitFor();
    await dialog.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Running").first().waitFor();
    await panel.getByText(/became dormant/).waitFor({ state: "detached" });
  });
});
