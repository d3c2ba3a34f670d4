import { updateNotificationsSettings } from "@slipway/api/notifications/routes";
import { updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { getTemplate, updateTemplate } from "@slipway/api/templates/routes";
import { createToken, deleteKey, listTokens } from "@slipway/api/users/key-routes";
import {
  createUser,
  getUserRoles,
  listUsers,
  suspendUser,
  updateProfile,
  updateUserRoles,
} from "@slipway/api/users/routes";
import type { RoleName } from "@slipway/api/users/user";
import { createWorkspace, updateAutostart, updateTtl } from "@slipway/api/workspaces/routes";
import { freshName, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, newUser, openDashboard } from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";

/* Settings that are changed elsewhere while a page shows them, and dialogs that are closed too early. */

const agents = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const hourMs = 3_600_000;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Has a page read again what it shows, as when its user comes back to it after some time. */
async function comeBack(page: Page): Promise<void> {
  await page.clock.fastForward(120_000);
  await page.evaluate("dispatchEvent(new Event('visibilitychange'))");
}

describe("a form about something that is changed elsewhere", () => {
  it("keeps what was typed into a profile, and follows in the other field", async () => {
    const { page, client, user } = await dashboard.openUserPage("ann");
    await page.clock.install();
    await page.goto("/settings/account");
    const username = page.getByLabel("Username");
    await expect.poll(() => username.inputValue()).toBe(user.username);
    const wanted = freshName("ann");
    await username.fill(wanted);
    await client.call(updateProfile, {
      params: { user: "me" },
      body: { username: user.username, name: "Ann Example" },
    });
    await comeBack(page);
    const name = page.getByLabel("Name (optional)");
    await expect.poll(() => name.inputValue()).toBe("Ann Example");
    expect(await username.inputValue()).toBe(wanted);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Profile saved.").waitFor();
    await page.reload();
    await expect.poll(() => username.inputValue()).toBe(wanted);
    await expect.poll(() => name.inputValue()).toBe("Ann Example");
  });

  it("keeps what was typed into the settings of a template, and overwrites nothing else", async () => {
    const { admin } = dashboard;
    const name = freshName("shared");
    const params = { template: await pushTemplate(admin, name, agents) };
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    await page.goto(`/templates/${name}/settings`);
    await page.getByLabel("Display name").fill("Typed here");
    await page.getByLabel("Stop after").fill("8");
    const body = { description: "From elsewhere", activity_bump_ms: 2 * hourMs };
    await admin.call(updateTemplate, { params, body });
    await comeBack(page);
    await expect.poll(() => page.getByLabel("Description").inputValue()).toBe("From elsewhere");
    expect(await page.getByLabel("Display name").inputValue()).toBe("Typed here");
    expect(await page.getByLabel("Extend on activity").inputValue()).toBe("2");
    // This page does not know of the last change when it saves.
    await admin.call(updateTemplate, { params, body: { description: "Later" } });
    await page.getByRole("button", { name: "Save settings" }).click();
    await expect.poll(() => page.getByLabel("Description").inputValue()).toBe("Later");
    await page.getByRole("button", { name: "Save settings (Nothing has changed)" }).waitFor();
    expect(await admin.call(getTemplate, { params })).toMatchObject({
      display_name: "Typed here",
      description: "Later",
      default_ttl_ms: 8 * hourMs,
      activity_bump_ms: 2 * hourMs,
    });
  });

  it("keeps what is typed while the settings are saved", async () => {
    const name = freshName("typed");
    await pushTemplate(dashboard.admin, name, agents);
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/templates/${name}/settings`);
    const held = await hold(page, "**/api/v2/templates/*", "PATCH");
    await page.getByLabel("Display name").fill("First");
    await page.getByRole("button", { name: "Save settings" }).click();
    await held.arrived;
    await page.getByLabel("Display name").fill("Second");
    held.release();
    await page.getByRole("heading", { name: "First" }).waitFor();
    expect(await page.getByLabel("Display name").inputValue()).toBe("Second");
    await page.getByRole("button", { name: "Save settings", exact: true }).click();
    await page.getByRole("heading", { name: "Second" }).waitFor();
  });

  it("shows the schedule that another page has set, unless one was entered", async () => {
    const { admin } = dashboard;
    const name = freshName("timed");
    const templateId = await pushTemplate(admin, freshName("timed"), agents);
    const { id } = await admin.call(createWorkspace, {
      params: { user: "me" },
      body: { name, template_id: templateId },
    });
    await waitForWorkspace(admin, id, (one) => one.latest_build.status === "running");
    const params = { workspace: id };
    const { page } = await dashboard.openAdminPage();
    await page.goto(`/@admin/${name}/settings`);
    const hours = page.getByLabel("Stop it this many hours after each start (optional)");
    await page.getByRole("button", { name: "Save stop (Nothing has changed)" }).waitFor();
    await admin.call(updateAutostart, {
      params,
      body: { schedule: "CRON_TZ=Europe/Berlin 15 8 * * 1,2" },
    });
    const time = page.getByLabel("Time", { exact: true });
    await expect.poll(() => time.inputValue()).toBe("08:15");
    await page.getByRole("button", { name: "Save start (Nothing has changed)" }).waitFor();
    await hours.fill("3");
    await admin.call(updateTtl, { params, body: { ttl_ms: 5 * hourMs } });
    await admin.call(updateAutostart, { params, body: { schedule: null } });
    const starts = page.getByLabel("Start it automatically");
    await expect.poll(() => starts.isChecked()).toBe(false);
    expect(await hours.inputValue()).toBe("3");
    await page.getByRole("button", { name: "Save stop", exact: true }).click();
    await page.getByRole("button", { name: "Save stop (Nothing has changed)" }).waitFor();
    await hours.fill("4");
    await page.getByRole("button", { name: "Save stop", exact: true }).click();
    await page.getByRole("button", { name: "Save stop (Nothing has changed)" }).waitFor();
    await page.reload();
    await expect.poll(() => hours.inputValue()).toBe("4");
  });
});

describe("a change that has been made already", () => {
  it("pauses pools that somebody else has paused, and resumes none of them", async () => {
    const { admin } = dashboard;
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    await page.goto("/pools");
    await page.getByRole("button", { name: "Pause…" }).click();
    const dialog = page.getByRole("dialog", { name: "Pause all pools?" });
    await admin.call(updatePrebuildsSettings, { body: { reconciliation_paused: true } });
    await comeBack(page);
    await page.getByText("Pools are paused.").waitFor();
    await dialog.getByRole("button", { name: "Pause", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Resume…" }).click();
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByText("Pools are resumed.").waitFor();
  });

  it("pauses and resumes notifications, and says why it could not", async () => {
    const { admin } = dashboard;
    const { page } = await dashboard.openAdminPage();
    await page.goto("/settings/notifications");
    await page.getByRole("button", { name: "Pause…" }).click();
    await admin.call(updateNotificationsSettings, { body: { notifier_paused: true } });
    await page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Paused: notifications are held until you resume").waitFor();
    const full = { status: 500, json: { message: "The database is full." } };
    await page.route("**/notifications/settings", (route) => route.fulfill(full), { times: 1 });
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("status").getByText("The database is full.").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Notifications are delivered").waitFor();
  });

  it("deletes a token that another page has deleted", async () => {
    const { page, client } = await dashboard.openUserPage("tom");
    await client.call(createToken, { params: { user: "me" }, body: { token_name: "ci" } });
    await page.goto("/settings/tokens");
    await page.getByRole("button", { name: "Delete ci" }).click();
    const [token] = await client.call(listTokens, { params: { user: "me" } });
    await client.call(deleteKey, { params: { user: "me", key: token?.id ?? "" } });
    await page.getByRole("dialog").getByRole("button", { name: "Delete token" }).click();
    await page.getByText("No tokens yet").waitFor();
  });
});

describe("a question about a user", () => {
  it("stays the same until it is answered, whatever the list says by then", async () => {
    const { admin } = dashboard;
    const prefix = freshName("asked");
    const kim = { ...newUser("kim"), username: `${prefix}-kim` };
    await admin.call(createUser, { body: kim });
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    await page.goto(`/users?q=${prefix}`);
    await page.getByRole("button", { name: `Actions for ${kim.username}` }).click();
    await page.getByRole("menuitem", { name: "Suspend…" }).click();
    const dialog = page.getByRole("dialog", { name: `Suspend ${kim.username}?` });
    const ann = { ...newUser("ann"), username: `${prefix}-ann` };
    await admin.call(createUser, { body: ann });
    await admin.call(suspendUser, { params: { user: kim.username } });
    await comeBack(page);
    // Behind a dialog, only its content has roles.
    await page.locator("tr", { hasText: ann.username }).waitFor();
    await page
      .locator("tr", { hasText: kim.username })
      .getByRole("cell", { name: "Suspended" })
      .waitFor();
    await dialog.getByRole("button", { name: "Suspend user" }).click();
    await dialog.waitFor({ state: "detached" });
    const { users } = await admin.call(listUsers, { query: { q: prefix } });
    expect(users.map(({ username, status }) => [username, status])).toEqual([
      [ann.username, "dormant"],
      [kim.username, "suspended"],
    ]);
  });

  it("keeps the roles that another owner has assigned while the question was open", async () => {
    const { admin } = dashboard;
    const body = newUser("pat");
    await admin.call(createUser, { body });
    const setRoles = (roles: RoleName[]) =>
      admin.call(updateUserRoles, { params: { user: body.username }, body: { roles } });
    await setRoles(["user-admin"]);
    const { page } = await dashboard.openAdminPage();
    await page.clock.install();
    await page.goto(`/users?q=${body.username}`);
    await page.getByRole("button", { name: `Actions for ${body.username}` }).click();
    await page.getByRole("menuitem", { name: "Change roles…" }).click();
    const dialog = page.getByRole("dialog", { name: `Roles of ${body.username}` });
    const isChecked = (role: string) => dialog.getByLabel(role).isChecked();
    await dialog.getByLabel("Auditor").check();
    // The page reads of this change.
    await setRoles([]);
    await comeBack(page);
    await expect.poll(() => isChecked("User admin")).toBe(false);
    expect(await isChecked("Auditor")).toBe(true);
    // It does not know of this one when it saves.
    await setRoles(["template-admin"]);
    const save = dialog.getByRole("button", { name: "Save roles", exact: true });
    await save.click();
    await dialog.getByText("have been changed in the meantime").waitFor();
    await expect.poll(() => isChecked("Template admin")).toBe(true);
    expect(await isChecked("Auditor")).toBe(true);
    await save.click();
    await dialog.waitFor({ state: "detached" });
    const { roles } = await admin.call(getUserRoles, { params: { user: body.username } });
    expect(roles.toSorted()).toEqual(["auditor", "template-admin"]);
  });

  it("is not asked about roles that could not be read", async () => {
    const { page } = await dashboard.openAdminPage();
    const body = newUser("rob");
    await dashboard.admin.call(createUser, { body });
    const refused = { status: 403, json: { message: "Forbidden." } };
    await page.route("**/users/roles", (route) => route.fulfill(refused), { times: 1 });
    await page.goto(`/users?q=${body.username}`);
    await page.getByRole("button", { name: `Actions for ${body.username}` }).click();
    await page.getByRole("menuitem", { name: "Change roles…" }).click();
    const dialog = page.getByRole("dialog", { name: `Roles of ${body.username}` });
    await dialog.getByText("Forbidden.").waitFor();
    await dialog.getByRole("button", { name: /^Save roles \(/ }).waitFor();
    await dialog.getByRole("button", { name: "Try again" }).click();
    await dialog.getByLabel("Auditor").check();
    await dialog.getByRole("button", { name: "Save roles", exact: true }).click();
    await page.getByRole("row", { name: body.username }).getByText("Auditor").waitFor();
  });
});

describe("a dialog that was closed while its request was under way", () => {
  it("leaves the next new user alone when the last one is created", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/users");
    const dialog = page.getByRole("dialog", { name: "New user" });
    const begin = async (user: ReturnType<typeof newUser>, logIn: string): Promise<void> => {
      await page.getByRole("button", { name: "New user" }).click();
      await dialog.getByLabel("Email").fill(user.email);
      await dialog.getByLabel("Username").fill(user.username);
      await dialog.getByLabel("Logs in").selectOption(logIn);
      await dialog.getByRole("button", { name: "Create user" }).click();
    };
    const [robot, human, refused] = ["robot", "human", "refused"].map(newUser);
    if (!robot || !human || !refused) throw new Error("three users");
    for (const [user, logIn, text] of [
      [robot, "none", `${robot.username} created.`],
      [human, "password", `${human.username} created. Reset the password to see one.`],
    ] as const) {
      const held = await hold(page, "**/api/v2/users", "POST");
      await begin(user, logIn);
      await held.arrived;
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "New user" }).click();
      await dialog.getByLabel("Email").fill("next@");
      held.release();
      await page.locator("[role=status]", { hasText: text }).waitFor();
      expect(await dialog.getByLabel("Email").inputValue()).toBe("next@");
      await page.keyboard.press("Escape");
    }
    const held = await hold(page, "**/api/v2/users", "POST");
    await begin(refused, "password");
    await held.arrived;
    await page.keyboard.press("Escape");
    const json = { message: "The email is in use." };
    held.release((route) => route.fulfill({ status: 409, json }));
    await page.getByRole("status").getByText("The email is in use.").waitFor();
  });

  it("tells of a token that nobody has seen", async () => {
    const { page } = await dashboard.openUserPage("tea");
    await page.goto("/settings/tokens");
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog", { name: "New token" });
    await dialog.getByLabel("Name (optional)").fill("unseen");
    await dialog.getByLabel("All your rights").check();
    const held = await hold(page, "**/keys/tokens", "POST");
    await dialog.getByRole("button", { name: "Create token" }).click();
    await held.arrived;
    await page.keyboard.press("Escape");
    held.release();
    await page.getByRole("status").getByText("The new token was not shown").waitFor();
    await page.getByRole("button", { name: "Delete unseen" }).waitFor();
  });

  it("cancels the import of a template", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/templates");
    await page.getByRole("button", { name: "New template" }).click();
    const dialog = page.getByRole("dialog", { name: "New template" });
    const name = freshName("canceled");
    await dialog.getByLabel("Name").fill(name);
    const held = await hold(page, "**/templateversions", "POST");
    await dialog.getByRole("button", { name: "Create template" }).click();
    await held.arrived;
    // Nothing of it is left to create a template later.
    await Promise.all([
      page.waitForEvent("requestfailed", (one) => one.url().endsWith("/templateversions")),
      page.keyboard.press("Escape"),
    ]);
    await dialog.waitFor({ state: "detached" });
  });
});
