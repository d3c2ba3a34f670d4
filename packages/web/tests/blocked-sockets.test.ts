import { listBuildParameters } from "@slipway/api/builds/routes";
import { updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import {
  freshName,
  type LocalServer,
  makeWorkspace,
  openSocketlessProxy,
  pushTemplate,
  pushVersion,
  type SocketTreatment,
  waitForWorkspace,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard, type UserPage } from "./support/dashboard.ts";

/* Pages behind a proxy that lets no WebSocket through. */

const outside = `
driver: external
parameters:
  memory: { type: number, default: 8, mutable: true, validation: { min: 1, max: 64 } }
agents:
  main: { os: linux, arch: amd64 }
`;
const inside = "driver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";
/** The text of the console about a socket that did not open. */
const refusedSocket = /WebSocket/;
/** The time for a page to read again what no stream tells it. */
const patience = { timeout: 30_000 };

const opened = new AsyncDisposableStack();
const proxies = new Map<SocketTreatment, LocalServer>();
let dashboard: Dashboard;
let outsideId = "";

beforeAll(async () => {
  dashboard = opened.use(await openDashboard());
  for (const treatment of ["strips", "swallows"] as const) {
    const proxy = await openSocketlessProxy(dashboard.server.url, treatment);
    proxies.set(treatment, opened.use(proxy));
  }
  outsideId = await pushTemplate(dashboard.admin, "outside", outside);
});
afterAll(() => opened.disposeAsync());

/** Opens the page of a new user behind a proxy. */
async function openBehind(treatment: SocketTreatment): Promise<UserPage> {
  const baseURL = proxies.get(treatment)?.url ?? "";
  return dashboard.openUserPage("kept", { baseURL });
}

async function make({ client }: Pick<UserPage, "client">, name: string): Promise<string> {
  const body = { name, template_id: outsideId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(client, id, (one) => one.latest_build.status === "running");
  return id;
}

async function memoryOf({ client }: UserPage, name: string): Promise<string | undefined> {
  const params = { user: "me", name };
  const { latest_build: build } = await client.call(getWorkspaceByName, { params });
  const values = await client.call(listBuildParameters, { params: { build: build.id } });
  return values.find((one) => one.name === "memory")?.value;
}

it.each<SocketTreatment>(["strips", "swallows"])(
  "checks and sends the parameters of a new workspace behind a proxy that %s upgrades",
  async (treatment) => {
    const watched = await openBehind(treatment);
    const { page, user } = watched;
    await page.goto("/templates/outside/workspace?name=mine");
    const memory = page.getByLabel(/^memory/);
    await memory.fill("99");
    await page.getByText("found 99").waitFor();
    await memory.fill("16");
    await page.getByText("found 99").waitFor({ state: "hidden" });
    await expectSound(watched, refusedSocket);
    await page.getByRole("button", { name: "Create workspace" }).click();
    await page.waitForURL(`**/@${user.username}/mine`);
    expect(await memoryOf(watched, "mine")).toBe("16");
  },
);

it("repeats what it could not send until the server answers", async () => {
  const { page } = await openBehind("strips");
  await page.goto("/templates/outside/workspace?name=mine");
  const memory = page.getByLabel(/^memory/);
  await memory.waitFor();
  await page.route("**/dynamic-parameters/evaluate", (route) => route.abort());
  await memory.fill("99");
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.getByText("The connection to the server is lost.").waitFor();
  await page.unroute("**/dynamic-parameters/evaluate");
  // It is sent as soon as the server has evaluated it, and refused.
  await page.getByText("found 99").waitFor(patience);
});

it("starts a workspace with other values, and updates it", async () => {
  const watched = await openBehind("strips");
  const { page, client, user } = watched;
  const templateId = await pushTemplate(dashboard.admin, freshName("moved"), outside);
  const body = { name: "mine", template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  const isRunning = (one: Parameters<Parameters<typeof waitForWorkspace>[2]>[0]): boolean =>
    one.latest_build.status === "running";
  await waitForWorkspace(client, id, isRunning);
  await page.goto(`/@${user.username}/mine/settings#parameters`);
  await page.getByLabel(/^memory/).fill("32");
  await page.getByRole("button", { name: "Start with these values…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("memory: 8 32").waitFor();
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
  await expect.poll(() => memoryOf(watched, "mine")).toBe("32");
  await waitForWorkspace(client, id, isRunning);

  const next = outside.replace(
    "parameters:",
    "parameters:\n  key: { type: string, mutable: true }",
  );
  const version = await pushVersion(dashboard.admin, next, { templateId });
  const params = { template: templateId };
  await dashboard.admin.call(updateActiveVersion, { params, body: { id: version } });
  await page.goto(`/@${user.username}/mine`);
  await page.getByRole("button", { name: "Update", exact: true }).click();
  await dialog.getByLabel("key", { exact: true }).fill("given");
  await dialog.getByRole("button", { name: "Update and start", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
});

it("reads lists and workspaces again from time to time, and says so", async () => {
  const watched = await openBehind("strips");
  const { page, client, user } = watched;
  await make(watched, "first");
  await page.goto("/workspaces");
  await page.getByRole("status").getByText("WebSockets are blocked").waitFor(patience);
  await make(watched, "second");
  await page.getByRole("link", { name: "second", exact: true }).waitFor(patience);
  await expectSound(watched, refusedSocket);

  await page.goto(`/@${user.username}/first`);
  await page.getByText("WebSockets are blocked.").waitFor(patience);
  await expectSound(watched, refusedSocket);
  const params = { user: "me", name: "first" };
  const { id } = await client.call(getWorkspaceByName, { params });
  const body = { transition: "stop" } as const;
  await client.call(createBuild, { params: { workspace: id }, body });
  await page.getByText("Stopped").first().waitFor(patience);
});

it("reads the log of a finished build once, however long its page is open", async () => {
  const watched = await openBehind("strips");
  const { page, user } = watched;
  await make(watched, "logged");
  let logReads = 0;
  let reads = 0;
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.endsWith("/logs")) logReads += 1;
    else if (pathname.endsWith("/users/me")) reads += 1;
  });
  await page.goto(`/@${user.username}/logged/builds/1`);
  await expect.poll(() => reads, patience).toBeGreaterThan(10);
  expect(await page.getByRole("log").textContent()).toMatch(/agent main connects/);
  expect(logReads).toBe(1);
});

it("says why there is no terminal", async () => {
  const insideId = await pushTemplate(dashboard.admin, "inside", inside);
  const watched = await openBehind("strips");
  const { page, client, user } = watched;
  await makeWorkspace(client, "shell", insideId, ({ status }) => status === "connected");
  await page.goto(`/@${user.username}/shell/terminal`);
  await page.getByText("The terminal cannot be reached.").waitFor(patience);
  await page.getByText("the WebSocket was refused, perhaps by a proxy").waitFor();
  await expectSound(watched, refusedSocket);
});

it("imports a template, and plans a workspace of it", async () => {
  const baseURL = proxies.get("strips")?.url ?? "";
  const { page } = await dashboard.openAdminPage({ baseURL });
  const name = freshName("imported");
  await page.goto("/templates");
  await page.getByRole("button", { name: "New template" }).click();
  const dialog = page.getByRole("dialog", { name: "New template" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: "Create template" }).click();
  await page.waitForURL(`**/templates/${name}*`, patience);
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Definition" }).fill(outside);
  await page.getByRole("button", { name: "Save as new version" }).click();
  await page.getByRole("button", { name: "Plan a workspace" }).click();
  await page.getByRole("list", { name: "Planned resources" }).waitFor(patience);
});

it.each(["strips", "swallows"] as const)(
  "the health page says so behind a proxy that %s them",
  async (treatment) => {
    const baseURL = proxies.get(treatment)?.url ?? "";
    const watched = await dashboard.openAdminPage({ baseURL });
    const { page } = watched;
    await page.goto("/health");
    const check = page.getByRole("listitem").filter({ hasText: "Used by live lists" });
    await check.getByText("Failing", { exact: true }).waitFor();
    await check.getByText(/^It (was refused or dropped|did not open in 5 seconds)\.$/).waitFor();
    await check.getByText("must allow WebSocket upgrades").waitFor();
    await page.getByText("Something is not working.").waitFor();
    await expectSound(watched, refusedSocket);
  },
);
