import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { getBuildLogs } from "@slipway/api/builds/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { freshName, makeWorkspace, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { planSockets } from "./support/planned-sockets.ts";

/* The pages of one workspace, with a real agent. */

const markup = String.raw`<img src=x onerror=alert(1)>\u202Egnp`;
/** The markup as the page shows it: text, without the mark that turns it around. */
const shown = "<img src=x onerror=alert(1)>gnp";

const template = `
driver: process
parameters:
  size: { type: string, default: small, mutable: true }
  disk_10: { type: string, default: "" }
  disk_2: { type: string, default: "" }
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      greet: { display_name: "${markup}", run_on: [start], run: "printf '%s\\n' '${markup}'" }
    metadata:
      load: { display_name: "${markup}", interval: 1s, timeout: 1s, run: "printf '%s' '${markup}'" }
    apps:
      docs: { display_name: "${markup}", url: "http://localhost:9", subdomain: false }
    display_apps: [web_terminal, vscode]
`;

/** The browser's errors about sockets that break while an agent is gone. */
const brokenSockets = /WebSocket|status of [45]\d\d/;

let dashboard: Dashboard;
let templateId = "";
let watched: WatchedPage;

beforeAll(async () => {
  dashboard = await openDashboard();
  templateId = await pushTemplate(dashboard.admin, "box", template);
  await make("dev");
  watched = await dashboard.openAdminPage();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Makes a workspace whose agent is ready. */
function make(name: string): Promise<Workspace> {
  return makeWorkspace(
    dashboard.admin,
    name,
    templateId,
    ({ lifecycle_state: state }) => state === "ready",
  );
}

it("shows what an agent offers, and keeps what its template says as text", async () => {
  const { page } = watched;
  await page.goto("/@admin/dev");
  await page.getByText("Connected, started and reached by the server.").waitFor();
  const values = page.getByLabel("Live values");
  await values.getByText(shown).first().waitFor();
  await page.getByRole("link", { name: `Open ${shown}` }).waitFor();
  const terminal = page.getByRole("link", { name: "Terminal" });
  await expect.poll(() => terminal.getAttribute("href")).toBe("/@admin/dev.main/terminal");
  const disks = page.getByRole("term").filter({ hasText: "disk" });
  await expect.poll(() => disks.allTextContents()).toEqual(["disk_2", "disk_10"]);
  await expectSound(watched);
  expect(await page.locator("img[src=x]").count()).toBe(0);
});

it.each(["Ports", "Start-up", "Log", "Containers", "Connect"])(
  "shows the view %s under its own address",
  async (name) => {
    const { page } = watched;
    await page.goto("/@admin/dev");
    const views = page.getByRole("navigation", { name: "Agent main" });
    await views.getByRole("link", { name }).click();
    await page.reload();
    await expect
      .poll(() => views.getByRole("link", { name }).getAttribute("aria-current"))
      .toBe("page");
    if (name === "Containers") await page.getByText("No containers for this agent").waitFor();
    if (name === "Log") await page.getByRole("log").getByText(shown).first().waitFor();
    if (name === "Start-up") await page.getByLabel("Start-up timeline").getByText(shown).waitFor();
    if (name === "Connect") await page.getByText("slipway ssh dev", { exact: true }).waitFor();
    await expectSound(watched, brokenSockets);
  },
);

it("takes the name of an agent in its address, and is not found for others", async () => {
  const { page } = await dashboard.openAdminPage();
  await page.goto("/@admin/dev.main");
  await page.getByRole("heading", { name: "dev" }).waitFor();
  await page.goto("/@admin/other");
  await page.getByText("There is no workspace admin/other").waitFor();
});

it("stops and starts, says why a start failed, and tries again", async () => {
  const { page } = watched;
  const { id, name } = await make(freshName("dev"));
  await page.goto(`/@admin/${name}`);
  await page.getByRole("button", { name: "Stop" }).click();
  const stop = page.getByRole("dialog", { name: `Stop ${name}?` });
  await expectSound(watched, brokenSockets);
  await stop.getByRole("button", { name: "Stop" }).click();
  await page.getByText("This workspace is stopped").waitFor();

  const home = join(dashboard.dataDir, "workspaces", id, "home");
  renameSync(home, `${home}-away`);
  writeFileSync(home, "in the way");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await expectSound(watched, brokenSockets);

  rmSync(home);
  renameSync(`${home}-away`, home);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
  await page.getByText("Connected, started and reached by the server.").waitFor();

  const builds = page.getByRole("navigation", { name: "Workspace" });
  await builds.getByRole("link", { name: "Builds" }).click();
  await page.getByRole("row", { name: /#3 Start Failed/ }).waitFor();
  await page.getByRole("row", { name: /#4 Start Succeeded/ }).waitFor();
});

it("follows the place of a build in the queue", async () => {
  const { page } = await dashboard.openAdminPage();
  await planSockets(page, /watch-ws/, () => "hang");
  let [available, position] = [1, 101];
  await page.route("**/workspace/dev?*", async (route) => {
    const response = await route.fetch();
    const { latest_build: latest, ...rest } = await response.json();
    const matched_provisioners = { count: 1, available, most_recently_seen: null };
    const job = { ...latest.job, status: "pending", queue_position: position };
    const build = { ...latest, status: "pending", job, matched_provisioners };
    await route.fulfill({ response, json: { ...rest, latest_build: build } });
  });
  await page.clock.install();
  await page.goto("/@admin/dev");
  await page
    .getByText("This build starts after at least 100 others that wait for a worker.")
    .waitFor();
  for (const [place, text] of [
    [3, "This build starts after 2 others that wait for a worker."],
    [2, "This build starts after another one that waits for a worker."],
    [1, "This build starts as soon as a worker is free."],
  ] as const) {
    position = place;
    await page.clock.fastForward(5_000);
    await page.getByText(text).waitFor();
  }
  available = 0;
  await page.clock.fastForward(5_000);
  await page.getByText("No worker can run this build right now.").waitFor();
});

it("shows the step that fails when an agent is lost, and brings it back by a restart", async () => {
  const { page } = watched;
  const workspace = await make(freshName("lost"));
  await page.goto(`/@admin/${workspace.name}`);
  process.kill(await agentPid(workspace), "SIGKILL");
  const ladder = page.getByRole("list", { name: "Way to the agent" });
  await ladder.getByText("Restart the workspace.").waitFor();
  await expectSound(watched, brokenSockets);
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Restart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
  await page.getByText("Connected, started and reached by the server.").waitFor();
});

it("shows the log and the changes of a build", async () => {
  const { page } = watched;
  await page.goto("/@admin/dev/builds");
  await page.getByRole("link", { name: "#1 Start" }).click();
  await page.getByRole("log").getByText("runs as process").waitFor();
  await page.getByRole("cell", { name: "size" }).waitFor();
  await expectSound(watched, brokenSockets);
});

it("says when it stops, and stays on longer", async () => {
  const { page } = watched;
  const { name } = await make(freshName("timed"));
  await page.goto(`/@admin/${name}/settings`);
  await page.getByLabel("Stop it this many hours after each start (optional)").fill("2");
  await page.getByRole("button", { name: "Save stop" }).click();
  await page.getByText("It applies from the next start.").waitFor();
  await page.getByLabel("Start it automatically").check();
  await page.getByLabel("Time", { exact: true }).fill("08:15");
  await page.getByRole("button", { name: "Save start" }).click();
  await expectSound(watched, brokenSockets);
  await page.goto(`/@admin/${name}`);
  await page.getByText("It starts automatically at 8:15 Mon-Fri").waitFor();
  await page.getByText("applies from its next start").waitFor();
  const reason = "It has no deadline: give it a time to live, then restart it";
  await page.getByRole("button", { name: `+ 1 hour (${reason})` }).waitFor();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Restart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
  const headline = page.getByText(/^It stops in 2 hours/);
  await headline.waitFor();
  await page.getByRole("button", { name: "+ 4 hours" }).click();
  await page.getByText(/^It stops in 6 hours/).waitFor();
});

it("starts with other parameters, told before", async () => {
  const { page } = watched;
  const { name } = await make(freshName("sized"));
  await page.goto(`/@admin/${name}/settings#parameters`);
  await page.getByLabel("size").fill("large");
  await page.getByRole("button", { name: "Start with these values…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("large").waitFor();
  await dialog.getByRole("button", { name: "Start" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("link", { name: "Builds" }).click();
  await page.getByRole("row", { name: /#2 Start Succeeded/ }).waitFor();
  await page.getByRole("link", { name: "#2 Start" }).click();
  await page.getByRole("row", { name: "size large changed was small" }).waitFor();
});

it("says that a folder, a file or a run is not there", async () => {
  const { page } = watched;
  await page.goto("/@admin/dev/runs?run=00000000-0000-4000-8000-000000000000");
  await page.getByText("There is no such run.").waitFor();
  await page.goto("/@admin/dev/files?path=/nothing&file=/nothing/here");
  await page.getByText("There is no such file").waitFor();
  await page.getByText("There is no such folder").waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
  await page.getByRole("link", { name: "Go to the first folder" }).click();
  await page.getByText("There is no such folder").waitFor({ state: "hidden" });
});

it("shows the network of its agents, and nobody connected", async () => {
  const { page } = watched;
  await page.goto("/@admin/dev/connections");
  await page.getByText("Nobody has connected yet").waitFor();
  await expectSound(watched, brokenSockets);
});

it("scrolls nowhere sideways on a phone", async () => {
  const { page } = await dashboard.openAdminPage({ viewport: { width: 390, height: 844 } });
  for (const path of [
    "",
    "?view=log",
    "?view=connect",
    "/builds",
    "/runs",
    "/files",
    "/connections",
    "/settings",
  ]) {
    await page.goto(`/@admin/dev${path}`);
    await page.getByRole("heading", { name: "dev" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBe(390);
  }
});

it("is deleted once its name is typed, and keeps its history", async () => {
  const { page } = watched;
  const { name } = await make(freshName("gone"));
  await page.goto(`/@admin/${name}/settings`);
  await page.getByRole("button", { name: "Delete workspace…" }).click();
  const dialog = page.getByRole("dialog", { name: `Delete ${name}?` });
  const refused = "Delete workspace (Type the name of the workspace)";
  await dialog.getByRole("button", { name: refused }).waitFor();
  await dialog.getByLabel(`Type ${name} to confirm`).fill(name);
  await dialog.getByRole("button", { name: "Delete workspace", exact: true }).click();
  await page.getByText("This workspace is deleted.").waitFor();
  await page.getByRole("link", { name: "Builds" }).click();
  await page.getByRole("link", { name: "#1 Start" }).waitFor();
});

/** Reads the process of the running agent from the log of its build. */
async function agentPid({ latest_build: build }: Workspace): Promise<number> {
  const log = await dashboard.admin.call(getBuildLogs, { params: { build: build.id } });
  const pid = log.map(({ output }) => /runs as process (\d+)/.exec(output)?.[1]).find(Boolean);
  if (pid === undefined) throw new Error("the log names no process");
  return Number(pid);
}
