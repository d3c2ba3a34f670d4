import { updateUserRoles } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, renameWorkspace } from "@slipway/api/workspaces/routes";
import { freshName, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "./support/dashboard.ts";

/* The list of workspaces. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
/** A name with markup and a mark that reverses what follows. */
const hostile = "<img src=x onerror=alert(1)>\u202Eevil";

let dashboard: Dashboard;
let templateId = "";

beforeAll(async () => {
  dashboard = await openDashboard();
  templateId = await pushTemplate(
    dashboard.admin,
    "outside",
    `display_name: ${JSON.stringify(hostile)}\n${template}`,
  );
  await Promise.all(["alpha", "beta", "gamma"].map((name) => make(name)));
});
afterAll(() => dashboard[Symbol.asyncDispose]());

async function make(name: string): Promise<string> {
  const { id } = await dashboard.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId },
  });
  await waitForWorkspace(dashboard.admin, id, (one) => one.latest_build.status === "running");
  return id;
}

function rowOf(page: Page, name: string) {
  return page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
}

async function openList(query = "", options = {}) {
  const watched = await dashboard.openAdminPage(options);
  await watched.page.goto(`/workspaces${query}`);
  await watched.page.getByRole("heading", { name: "Workspaces" }).waitFor();
  return watched;
}

describe("the list", () => {
  it("follows what happens elsewhere, without a reload", async () => {
    const watched = await openList();
    const { page } = watched;
    const count = page.getByRole("status").getByText(/^\d+ workspaces$/);
    const before = Number.parseInt(await count.innerText(), 10);
    await rowOf(page, "alpha").waitFor();
    await expectSound(watched);
    expect(await page.getByText("<img src=x onerror=alert(1)>").count()).toBeGreaterThan(0);
    expect(await page.locator("img[src=x]").count()).toBe(0);
    expect(await page.content()).not.toContain("\u202E");
    const name = freshName("delta");
    await make(name);
    await rowOf(page, name).waitFor();
    await page
      .getByRole("status")
      .getByText(`${before + 1} workspaces`, { exact: true })
      .waitFor();
  });

  it("reads a row that changes again and again by itself, before the list", async () => {
    const { page } = await openList();
    await rowOf(page, "alpha").waitFor();
    const first = freshName("epsilon");
    const id = await make(first);
    await rowOf(page, first).waitFor();
    // From now on the whole list is what it was.
    const old = await page.request.get("/api/v2/workspaces?q=owner:me&limit=100");
    const [json, rowReads]: [unknown, string[]] = [await old.json(), []];
    await page.route("**/api/v2/workspaces?*", async (route) => {
      const q = new URL(route.request().url()).searchParams.get("q") ?? "";
      if (!q.startsWith("id:")) return route.fulfill({ json });
      rowReads.push(q);
      return route.continue();
    });
    let renames = 0;
    await expect
      .poll(async () => {
        renames += 1;
        const name = `${first}-${renames}`;
        await dashboard.admin.call(renameWorkspace, { params: { workspace: id }, body: { name } });
        return page.getByRole("link", { name: new RegExp(`^${first}-`) }).isVisible();
      })
      .toBe(true);
    expect(new Set(rowReads)).toEqual(new Set([`id:${id}`]));
    await page.unroute("**/api/v2/workspaces?*");
    // The list may have been read once more as it was, and is read again at the next change.
    const params = { workspace: id };
    const last = freshName("last");
    await dashboard.admin.call(renameWorkspace, { params, body: { name: last } });
    await rowOf(page, last).waitFor();
    await dashboard.admin.call(createBuild, { params, body: { transition: "delete" } });
    await rowOf(page, last).waitFor({ state: "hidden" });
  });

  it("leaves the opening of a workspace in a new tab to the browser", async () => {
    const { page } = await openList();
    const [tab] = await Promise.all([
      page.context().waitForEvent("page"),
      page
        .getByRole("link", { name: "alpha", exact: true })
        .click({ modifiers: ["ControlOrMeta"] }),
    ]);
    await tab.waitForURL("**/@admin/alpha");
    expect(new URL(page.url()).pathname).toBe("/workspaces");
  });

  it("searches as one types, and keeps the search in the address", async () => {
    const { page } = await openList();
    const search = page.getByRole("searchbox", { name: "Search workspaces" });
    await search.fill("owner:me -alpha -delta name:a");
    await rowOf(page, "alpha").waitFor({ state: "hidden" });
    await rowOf(page, "beta").waitFor();
    await page.waitForURL((url) => url.searchParams.get("q") === "owner:me -alpha -delta name:a");
    await page.reload();
    await rowOf(page, "beta").waitFor();
    await expect.poll(() => search.inputValue()).toBe("owner:me -alpha -delta name:a");
    await search.fill("bogus:1");
    await page.getByRole("alert").getByText("Invalid workspace search query.").waitFor();
    await page.getByRole("button", { name: "Search syntax" }).click();
    await page.getByText("-status:stopped").waitFor();
  });

  it("keeps what was typed when a filter or an order is chosen before the search runs", async () => {
    const { page } = await openList();
    await rowOf(page, "alpha").waitFor();
    const search = page.getByRole("searchbox", { name: "Search workspaces" });
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await search.fill("owner:me beta");
    await page.getByRole("button", { name: "Outdated" }).click();
    await expect.poll(() => search.inputValue()).toBe("owner:me beta outdated:true");
    await search.fill("owner:me alpha");
    await page.getByRole("combobox", { name: "Group by" }).selectOption("template");
    await page.clock.resume();
    await page.waitForURL(({ searchParams }) => searchParams.get("q") === "owner:me alpha");
    expect(new URL(page.url()).searchParams.get("group")).toBe("template");
  });

  it("filters by chips, groups and sorts", async () => {
    const watched = await openList();
    const { page } = watched;
    await page.getByRole("combobox", { name: "Status" }).selectOption("stopped");
    await page.getByText("No workspace matches").waitFor();
    await expectSound(watched);
    await page.getByRole("button", { name: "Show all of mine" }).click();
    await page.getByRole("combobox", { name: "Group by" }).selectOption("template");
    await page.getByRole("rowheader").first().waitFor();
    await page.getByRole("combobox", { name: "Running first" }).selectOption("name");
    await page.waitForURL("**/workspaces?group=template&sort=name");
    await expectSound(watched);
  });

  it("marks a favorite, which comes first", async () => {
    const { page } = await openList("?sort=name");
    // By its name it would come last.
    const name = freshName("zeta");
    await make(name);
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page.getByRole("menuitem", { name: "Add to favorites" }).click();
    await rowOf(page, name).getByRole("img", { name: "Favorite" }).waitFor();
    await expect
      .poll(() => page.getByRole("row").allInnerTexts())
      .toSatisfy(
        (texts: string[]) =>
          texts.findIndex((text) => text.includes(name)) <
          texts.findIndex((text) => text.includes("alpha")),
      );
  });
});

describe("actions", () => {
  it("stop and start a workspace, and say why others cannot be done", async () => {
    const name = freshName("iota");
    await make(name);
    const watched = await openList(`?q=${name}`);
    const { page } = watched;
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page
      .getByRole("menuitem", { name: "Start (The workspace is already running)" })
      .waitFor();
    await expectSound(watched);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: `Stop ${name}` }).click();
    const dialog = page.getByRole("dialog", { name: `Stop ${name}?` });
    await dialog.getByRole("button", { name: "Stop", exact: true }).click();
    await rowOf(page, name).getByText("Stopped").waitFor();
    await page.getByRole("button", { name: `Start ${name}` }).click();
    await page
      .getByRole("dialog", { name: `Start ${name}?` })
      .getByRole("button", { name: "Start", exact: true })
      .click();
    await rowOf(page, name).getByText("Running").waitFor();
  });

  it("stay with their workspace when the list changes under a menu or a question", async () => {
    const group = freshName("mu");
    const name = `${group}-b`;
    await make(name);
    const { page } = await openList(`?q=${group}&sort=name`);
    const trigger = page.getByRole("button", { name: `Actions for ${name}` });
    const choose = (entry: string) => page.getByRole("menuitem", { name: entry }).click();
    /** Makes a workspace that takes the row's place. */
    const makeBefore = async (first: string): Promise<void> => {
      await make(first);
      await page.locator("a", { hasText: first }).waitFor({ state: "attached" });
    };
    await trigger.click();
    await makeBefore(`${group}-a2`);
    await choose("Delete");
    const dialog = page.getByRole("dialog", { name: `Delete ${name}?` });
    await dialog.waitFor();
    await makeBefore(`${group}-a1`);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
    await trigger.click();
    await choose("Delete");
    await dialog.waitFor();
  });

  it("act on several at once, and tell which are skipped", async () => {
    const names = [freshName("kappa"), freshName("kappa")];
    await Promise.all(names.map((name) => make(name)));
    const watched = await openList("?sort=name");
    const { page } = watched;
    for (const name of names) await page.getByLabel(`Select ${name}`).check();
    await page
      .getByRole("toolbar", { name: "Selected workspaces" })
      .getByText("2 selected")
      .waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const start = page.getByRole("dialog", { name: "Start 0 workspaces?" });
    await start.getByText("2 workspaces skipped").waitFor();
    await expectSound(watched);
    await start.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    const stop = page.getByRole("dialog", { name: "Stop 2 workspaces?" });
    await stop.getByRole("button", { name: "Stop 2 workspaces" }).click();
    await stop.waitFor({ state: "hidden" });
    for (const name of names) await rowOf(page, name).getByText("Stopped").waitFor();
    await page.getByRole("toolbar").waitFor({ state: "detached" });
  });

  it("are not for those who may only look", async () => {
    const { page, user } = await dashboard.openUserPage("ann");
    await dashboard.admin.call(updateUserRoles, {
      params: { user: user.username },
      body: { roles: ["template-admin"] },
    });
    await page.goto("/workspaces?q=gamma");
    const stop = page.getByRole("button", { name: "Stop gamma" });
    await stop.waitFor();
    await expect.poll(() => stop.getAttribute("aria-disabled")).toBe("true");
    await expect
      .poll(() => stop.getAttribute("title"))
      .toBe("Only its owner or an administrator can change it");
    await page.getByRole("button", { name: "Actions for gamma" }).click();
    for (const name of ["Add to favorites", "Restart", "Delete"]) {
      const entry = page.getByRole("menuitem", { name });
      await expect.poll(() => entry.getAttribute("aria-disabled")).toBe("true");
    }
    await page.goto("/@admin/gamma");
    // Another test may have stopped it.
    await page.getByRole("button", { name: /^(Start|Stop) \(Only its owner/ }).waitFor();
  });

  it("make no favorite of somebody else's workspace", async () => {
    const { client, user } = await dashboard.openUserPage("fay");
    const name = freshName("hers");
    await client.call(createWorkspace, {
      params: { user: user.username },
      body: { name, template_id: templateId },
    });
    const { page } = await openList(`?q=${name}`);
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    const favor = page.getByRole("menuitem", { name: "Add to favorites" });
    await expect.poll(() => favor.getAttribute("aria-disabled")).toBe("true");
  });
});

describe("a new user", () => {
  it("learns what a workspace is", async () => {
    const watched = await dashboard.openUserPage("bob");
    await watched.page.goto("/workspaces");
    await watched.page.getByText("You have no workspaces yet").waitFor();
    await watched.page.getByRole("link", { name: "Create your first workspace" }).click();
    await watched.page.getByRole("link", { name: "<img src=x" }).waitFor();
    await expectSound(watched);
  });
});

describe("a phone", () => {
  it("shows the list without scrolling sideways", async () => {
    const watched = await openList("", { viewport: { width: 390, height: 844 } });
    await rowOf(watched.page, "gamma").waitFor();
    expect(await watched.page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await expectSound(watched);
  });
});
