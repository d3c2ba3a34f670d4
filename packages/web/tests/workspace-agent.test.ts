import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { getContainers } from "@slipway/api/agents/container-routes";
import { updateTemplate } from "@slipway/api/templates/routes";
import { sharePort, unsharePort } from "@slipway/api/workspaces/port-share-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import {
  buildAgent,
  freshName,
  makeWorkspace,
  pushTemplate,
  readAgentToken,
  startAgentProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";
import { markup, shownMarkup } from "./support/hostile-text.ts";

/* The containers, ports and connections of a workspace, on a machine whose engine is a shell script. */

const ids = { dev: "a".repeat(64), database: "b".repeat(64) };

const opened = new AsyncDisposableStack();
let dashboard: Dashboard;
let watched: WatchedPage;
let templateId = "";
let workspaceId = "";
let port = 0;
let home = "";

function containerJson(id: string, name: string, image: string, folder?: string): string {
  return JSON.stringify({
    Id: id,
    Name: name,
    Created: "2026-11-30T00:00:00Z",
    State: { Running: true },
    Config: {
      Image: image,
      Labels: folder === undefined ? {} : { "devcontainer.local_folder": folder },
    },
  });
}

function install(name: string, script: string): void {
  const path = join(home, "bin", name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
}

beforeAll(async () => {
  dashboard = opened.use(
    await openDashboard({ environment: { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.localhost" } }),
  );
  home = join(dashboard.dataDir, "machine");
  for (const name of ["bin", "site"]) mkdirSync(join(home, name), { recursive: true });
  writeFileSync(join(home, "dev.json"), containerJson(ids.dev, "dev", "dev:1", `${home}/site`));
  writeFileSync(join(home, "database.json"), containerJson(ids.database, markup, markup));
  install(
    "docker",
    `case "$1" in
    ps) printf '${ids.dev}\\n${ids.database}\\n' ;;
    inspect) case "$*" in *${ids.dev}*) cat ${home}/dev.json; echo ;; esac
      case "$*" in *${ids.database}*) cat ${home}/database.json; echo ;; esac ;;
    esac`,
  );
  install("devcontainer", `echo '{"outcome":"error","message":"no room on the disk"}'`);
  await buildAgent();
  templateId = await pushTemplate(
    dashboard.admin,
    "machine",
    "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n",
  );
  const { id } = await makeWorkspace(dashboard.admin, "dev", templateId, () => true);
  workspaceId = id;
  const agent = await startAgentProcess({
    serverUrl: dashboard.server.url,
    token: await readAgentToken(dashboard.admin, id),
    home,
    environment: {
      PATH: `${join(home, "bin")}:/usr/bin:/bin`,
      CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE: "false",
    },
  });
  opened.defer(async () => {
    const exited = once(agent, "exit");
    agent.kill("SIGKILL");
    await exited;
  });
  const site = createServer((_request, response) => response.end("<title>hello</title>"));
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  opened.defer(() => void site.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has such an address
  ({ port } = site.address() as AddressInfo);
  watched = await dashboard.openAdminPage();
});
afterAll(() => opened.disposeAsync());

describe("containers", () => {
  it("are listed with what runs in them, whose names are only text", async () => {
    const { page } = watched;
    const { latest_build: build } = await dashboard.admin.call(getWorkspace, {
      params: { workspace: workspaceId },
    });
    const agent = build.resources.flatMap(({ agents }) => agents)[0]?.id ?? "";
    // The page would wait for a button to be pressed.
    const countContainers = () =>
      dashboard.admin.call(getContainers, { params: { agent } }).then(
        ({ containers }) => containers.length,
        (error: unknown) => String(error),
      );
    await expect.poll(countContainers, { timeout: 60_000 }).toBe(2);
    await page.goto("/@admin/dev?view=containers");
    const others = page.getByRole("table", { name: "Containers of main" });
    await others
      .getByRole("row", { name: shownMarkup })
      .getByRole("cell", { name: "running" })
      .waitFor();
    const terminal = others.getByRole("link", { name: "Terminal" });
    await expect.poll(() => terminal.getAttribute("href")).toContain(`container=${ids.database}`);
    const dev = page.getByRole("table", { name: "Dev containers of main" });
    await dev.getByRole("row", { name: /^site/ }).getByText("running").waitFor();
    await expectSound(watched);
    expect(await page.content()).not.toContain("\u202E");
  });

  it("appear and go without a reload", async () => {
    const { page } = watched;
    await page.goto("/@admin/dev?view=containers");
    const others = page.getByRole("table", { name: "Containers of main", exact: true });
    await others.waitFor();
    const name = freshName("db");
    writeFileSync(join(home, "database.json"), containerJson(ids.database, name, "postgres:16"));
    await others.getByRole("row", { name: `${name} postgres:16` }).waitFor();
  });

  it("are recreated after a question, and the failure is shown", async () => {
    const { page } = watched;
    await page.goto("/@admin/dev?view=containers");
    const row = page.getByRole("table", { name: "Dev containers of main" }).getByRole("row");
    await row.getByRole("button", { name: "Recreate" }).click();
    const dialog = page.getByRole("dialog", { name: "Recreate site?" });
    await dialog.getByText("the files of the workspace folder stay").waitFor();
    await expectSound(watched);
    await dialog.getByRole("button", { name: "Recreate dev container" }).click();
    await dialog.waitFor({ state: "hidden" });
    await row.getByText("no room on the disk").waitFor();
  });
});

describe("ports", () => {
  it("are listed, and opened at an address of their own", async () => {
    const { page } = watched;
    await page.goto("/@admin/dev?view=ports");
    const row = page.getByRole("row", { name: new RegExp(`^${port}\\b`) });
    await row.waitFor();
    await expectSound(watched);
    const [site] = await Promise.all([
      page.context().waitForEvent("page"),
      row.getByRole("link", { name: `Open port ${port}` }).click(),
    ]);
    await site.waitForURL(`**//${port}--main--dev--admin.apps.localhost*/**`);
    await expect.poll(() => site.title()).toBe("hello");
    await site.close();
  });

  it("are shared with everybody, and taken back", async () => {
    const { page } = watched;
    const { page: stranger } = await dashboard.openPage();
    await page.goto("/@admin/dev?view=ports");
    const row = page.getByRole("row", { name: new RegExp(`^${port}\\b`) });
    const href = await row.getByRole("link").getAttribute("href");
    const address = href ?? "";
    const level = row.getByRole("combobox", { name: `Who may open port ${port}` });
    // A repetition may begin with a shared port.
    if ((await level.inputValue()) !== "owner") await level.selectOption("owner");
    await expect.poll(() => level.isEnabled()).toBe(true);
    await stranger.goto(address);
    await stranger.getByLabel("Email").waitFor();
    await level.selectOption("public");
    await expect
      .poll(async () => {
        await stranger.goto(address);
        return stranger.title();
      })
      .toBe("hello");
    await page.reload();
    await expect.poll(() => level.inputValue()).toBe("public");
    await level.selectOption("owner");
    await expect.poll(() => level.isEnabled()).toBe(true);
    // Whoever has it open may keep it for a minute.
    const { page: later } = await dashboard.openPage();
    await later.goto(address);
    await later.getByLabel("Email").waitFor();
  });

  it("are read again every ten seconds", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    let reads = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/listening-ports")) reads += 1;
    });
    await page.goto("/@admin/dev?view=ports");
    await page.getByRole("row", { name: new RegExp(`^${port}\\b`) }).waitFor();
    const before = reads;
    await page.clock.runFor(10_000);
    await expect.poll(() => reads).toBeGreaterThan(before);
  });

  it("are shared before anything listens on them", async () => {
    const { page } = watched;
    await page.goto("/@admin/dev?view=ports");
    await page.getByRole("spinbutton", { name: "Share port" }).fill("4242");
    await page.getByLabel("With").selectOption("public");
    await page.getByText("Anyone who knows its address can open it").waitFor();
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("row", { name: /^4242 not listening/ }).waitFor();
    await expectSound(watched);
  });

  it("are taken back without an error when another page has taken them back already", async () => {
    const { page } = watched;
    const params = { workspace: workspaceId };
    const share = { agent_name: "main", port };
    await dashboard.admin.call(sharePort, {
      params,
      body: { ...share, share_level: "organization", protocol: "http" },
    });
    await page.goto("/@admin/dev?view=ports");
    const row = page.getByRole("row", { name: new RegExp(`^${port}\\b`) });
    const level = row.getByRole("combobox");
    await expect.poll(() => level.inputValue()).toBe("organization");
    await dashboard.admin.call(unsharePort, { params, body: share });
    const [answer] = await Promise.all([
      page.waitForResponse((one) => one.request().method() === "DELETE"),
      level.selectOption("owner"),
    ]);
    expect(answer.status()).toBe(404);
    await expect
      .poll(async () => [await level.inputValue(), await level.isEnabled()])
      .toEqual(["owner", true]);
    expect(await row.getByText("not found").count()).toBe(0);
    await expectSound(watched, /status of 404/);
  });

  it("are read again when it could not be read who may open them", async () => {
    const { page } = await dashboard.openAdminPage();
    const shares = "**/port-share";
    await page.route(shares, (route) =>
      route.fulfill({ status: 400, json: { message: "The list is gone." } }),
    );
    await page.goto("/@admin/dev?view=ports");
    await page.getByRole("alert").getByText("The list is gone.").waitFor();
    await page.unroute(shares);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("row", { name: new RegExp(`^${port}\\b`) }).waitFor();
  });

  it("say at their row why they could not be shared", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/@admin/dev?view=ports");
    const held = await hold(page, "**/port-share", "POST");
    const row = page.getByRole("row", { name: new RegExp(`^${port}\\b`) });
    const level = row.getByRole("combobox");
    await level.selectOption("organization");
    await held.arrived;
    expect(await level.isEnabled()).toBe(false);
    held.release((route) => route.fulfill({ status: 400, json: { message: "Not this port." } }));
    await row.getByText("Not this port.").waitFor();
    await expect.poll(() => level.isEnabled()).toBe(true);
    expect(await level.inputValue()).toBe("owner");
  });

  it("are shared no wider than the template allows", async () => {
    const { page } = watched;
    await page.goto("/@admin/dev?view=ports");
    await dashboard.admin.call(updateTemplate, {
      params: { template: templateId },
      body: { max_port_share_level: "owner" },
    });
    await page.reload();
    await page.getByText("The template does not allow ports to be shared").waitFor();
    await page.getByRole("row", { name: /^4242/ }).waitFor({ state: "detached" });
  });
});

describe("connections", () => {
  it("are shown with their path and its latency while they are open", async () => {
    const { page } = watched;
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto("/@admin/dev/connections");
    const open = page.getByRole("table", { name: "Connections" });
    const rows = open.getByRole("row", { name: /^Open Terminal admin/ });
    await page.getByRole("heading", { name: "dev" }).waitFor();
    await expect.poll(() => rows.count()).toBe(0);
    const { page: encrypted } = await dashboard.openAdminPage();
    onTestFinished(() => encrypted.close());
    await encrypted.goto("/@admin/dev.main/terminal");
    await encrypted.getByRole("button", { name: "End-to-end encrypted" }).waitFor();
    const { page: relayed } = await dashboard.openAdminPage();
    onTestFinished(() => relayed.close());
    await relayed.route("**/workspaceagents/*/connection", (route) => route.abort());
    await relayed.goto("/@admin/dev.main/terminal");
    await relayed.getByRole("button", { name: "Not end-to-end encrypted" }).waitFor();

    await page.reload();
    await rows.getByText(/^by Slipway Relay, \d/).waitFor();
    await rows.getByText(/^through the server, (direct|by Slipway Relay), \d/).waitFor();
    await expectSound(watched);
    // On a phone the table scrolls, and breaks neither names nor times.
    await page.setViewportSize({ width: 390, height: 844 });
    for (const row of await rows.all()) {
      expect((await row.boundingBox())?.height).toBeLessThanOrEqual(64);
    }
    for (const viewer of [encrypted, relayed]) await viewer.close();
    await page.reload();
    await expect.poll(() => rows.count()).toBe(0);
    await open
      .getByRole("row", { name: /^Closed Terminal admin/ })
      .first()
      .waitFor();
  });
});
