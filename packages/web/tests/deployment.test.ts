import { createUser, updateProfile, updateUserRoles } from "@slipway/api/users/routes";
import { testAdmin } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  logInByPage,
  newUser,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { markup, shownMarkup } from "./support/hostile-text.ts";

/* The pages of those who run a deployment, and who may see them. */

const ann = newUser("ann");
const eve = newUser("eve");

let dashboard: Dashboard;
let watched: WatchedPage;

beforeAll(async () => {
  dashboard = await openDashboard();
  for (const body of [ann, eve]) await dashboard.admin.call(createUser, { body });
  await dashboard.admin.call(updateProfile, {
    params: { user: eve.username },
    body: { username: eve.username, name: markup },
  });
  watched = await dashboard.openAdminPage();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

describe("users", () => {
  it("are found as one types, and their names are text", async () => {
    const { page } = watched;
    await page.goto("/users");
    await page.getByRole("row", { name: ann.email }).waitFor();
    await page.getByText(shownMarkup).waitFor();
    await expectSound(watched);
    await page.getByRole("searchbox", { name: "Search users" }).fill(eve.username);
    await page.waitForURL(`**/users?q=${eve.username}`);
    await page.getByRole("row", { name: ann.email }).waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Search syntax" }).click();
    await page.getByText("status:active").waitFor();
    await expectSound(watched);
  });

  it("get a password that is shown once and works", async () => {
    const { page } = await dashboard.openAdminPage();
    const { username, email } = newUser("dan");
    await page.goto("/users");
    await page.getByRole("button", { name: "New user" }).click();
    const dialog = page.getByRole("dialog", { name: "New user" });
    await dialog.getByLabel("Email").fill(email);
    await dialog.getByLabel("Username").fill("two words");
    await dialog.getByRole("button", { name: "Create user" }).click();
    await dialog.getByText("must be letters and digits").waitFor();
    await dialog.getByLabel("Username").fill(username);
    await dialog.getByRole("button", { name: "Create user" }).click();
    const shown = page.getByRole("dialog", { name: `The password of ${username}` });
    const password = (await shown.locator("code").textContent()) ?? "";
    const { page: dans } = await dashboard.openPage();
    await logInByPage(dans, { email, password });
  });

  it("change roles, are suspended, and are deleted, each after saying what happens", async () => {
    const { page } = await dashboard.openAdminPage();
    const body = newUser("kim");
    const { username } = body;
    await dashboard.admin.call(createUser, { body });
    const row = page.getByRole("row", { name: username });
    const act = async (entry: string): Promise<void> => {
      await page.getByRole("button", { name: `Actions for ${username}` }).click();
      await page.getByRole("menuitem", { name: entry }).click();
    };
    await page.goto(`/users?q=${username}`);
    await act("Change roles…");
    await page.getByLabel("Auditor").check();
    await page.getByRole("button", { name: "Save roles" }).click();
    await row.getByText("Auditor").waitFor();
    await act("Suspend…");
    await page.getByText("end at once").waitFor();
    await page.getByRole("button", { name: "Suspend user" }).click();
    await row.getByRole("cell", { name: "Suspended" }).waitFor();
    await act("Reactivate…");
    await page.getByRole("button", { name: "Reactivate user" }).click();
    await row.getByRole("cell", { name: "Suspended" }).waitFor({ state: "hidden" });
    await act("Reset password…");
    await page.getByRole("button", { name: "Reset password" }).click();
    const shown = page.getByRole("dialog", { name: `The password of ${username}` });
    const password = (await shown.locator("code").textContent()) ?? "";
    await page.getByRole("button", { name: "Done" }).click();
    const { page: kims } = await dashboard.openPage();
    await logInByPage(kims, { email: body.email, password });
    await page.getByRole("button", { name: `Actions for ${username}` }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete user" }).click();
    await page.getByText("No user matches").waitFor();
    await page.goto("/users?q=admin");
    await page.getByRole("button", { name: "Actions for admin" }).click();
    await page.getByRole("menuitem", { name: /Delete….*yourself/ }).waitFor();
  });
});

describe("the audit trail", () => {
  it("shows changes, and keeps its filters in the address", async () => {
    const { page } = watched;
    await page.goto("/audit");
    await page.getByLabel("Action").selectOption("write");
    await page.getByLabel("Resource").selectOption("user");
    const search = page.getByRole("searchbox");
    await expect.poll(() => search.inputValue()).toBe("action:write resource_type:user");
    await search.fill(`${eve.username} action:write resource_type:user -action:login`);
    await page.waitForURL(/[?]q=eve/);
    const entry = page.getByRole("listitem").filter({ hasText: `updated user ${eve.username}` });
    await entry.locator("summary").click();
    await entry.getByText(shownMarkup).waitFor();
    await expectSound(watched);
    await page.reload();
    await page.getByText(`updated user ${eve.username}`).waitFor();
    await expect.poll(() => page.getByLabel("Action").inputValue()).toBe("write");
  });

  it("says what is wrong with a search", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/audit?q=colour:red");
    await page.getByRole("alert").getByText("Invalid audit search query").waitFor();
  });
});

it("has an empty log of connections that says what comes there", async () => {
  await watched.page.goto("/connectionlog");
  await watched.page.getByText("No connections yet").waitFor();
  await expectSound(watched);
  await watched.page.goto("/connectionlog?q=type:ssh");
  await watched.page.getByText("No connection matches").waitFor();
});

it("checks the health of the server and of the way to it", async () => {
  const { page } = watched;
  await page.goto("/health");
  for (const name of ["Database", "Access URL", "Provisioners", "WebSocket", "Relay", "Servers"]) {
    await page.getByRole("main").getByRole("listitem").filter({ hasText: name }).waitFor();
  }
  await page.getByText("1 server is online").waitFor();
  await page.getByText("None is connected, and no job waits for one.").waitFor();
  await expectSound(watched);
});

it("lists settings with their source, without secrets", async () => {
  const { page } = watched;
  await page.goto("/deployment");
  await page.getByLabel("At a glance").getByText("Running").waitFor();
  await page.getByRole("link", { name: "Set by you" }).click();
  const row = page.getByRole("row", { name: /SLIPWAY_ADMIN_PASSWORD/ });
  await row.getByText("secret, not shown").waitFor();
  expect(await page.content()).not.toContain(testAdmin.password);
  await page.getByRole("searchbox", { name: "Search settings" }).fill("nothing-like-it");
  await page.getByText("No setting matches").waitFor();
  await expectSound(watched);
});

it.each([
  "/users",
  "/audit",
  "/connectionlog",
  "/provisioners",
  "/health",
  "/deployment",
  "/settings/tokens",
])("scrolls nowhere sideways on a phone at %s", async (path) => {
  const { page } = await dashboard.openAdminPage({ viewport: { width: 390, height: 844 } });
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
});

describe("a member", () => {
  it.each(["/users", "/audit", "/connectionlog", "/provisioners", "/health", "/deployment"])(
    "is told at %s whom the page is for, and finds no link to it",
    async (path) => {
      const { page } = await dashboard.openPage();
      await logInByPage(page, eve);
      await page.goto(path);
      await page.getByText("You do not have access to this page").waitFor();
      const links = await page
        .getByRole("navigation", { name: "Main" })
        .getByRole("link")
        .evaluateAll((found) => found.map((link) => link.getAttribute("href")));
      expect(links).not.toContain(path);
    },
  );
});

it("shows auditors the trail and not the settings", async () => {
  await dashboard.admin.call(updateUserRoles, {
    params: { user: eve.username },
    body: { roles: ["auditor"] },
  });
  const { page } = await dashboard.openPage();
  await logInByPage(page, eve);
  await page.getByRole("link", { name: "Audit trail" }).click();
  await page.getByRole("list", { name: "Entries" }).waitFor();
  expect(await page.getByRole("link", { name: "Deployment" }).count()).toBe(0);
});
