import { zeroTimestamp } from "@slipway/api/contract/scalars";
import { sendCustomNotification } from "@slipway/api/notifications/routes";
import { getGitKey } from "@slipway/api/users/git-key-routes";
import { updateProfile } from "@slipway/api/users/routes";
import { listSessions } from "@slipway/api/users/session-routes";
import { freshName, openClient } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  logInByPage,
  openDashboard,
  type UserPage,
} from "./support/dashboard.ts";

/* The pages about the user's own account, and their inbox. */

const markup = "<img src=x onerror=alert(1)>\u202Egnp";

let dashboard: Dashboard;
let watched: UserPage;

beforeAll(async () => {
  dashboard = await openDashboard();
  watched = await dashboard.openUserPage("ann");
});
afterAll(() => dashboard[Symbol.asyncDispose]());

it("is reached from the user's menu, and keeps a name that looks like markup as text", async () => {
  const { page, client, user } = watched;
  const { username } = user;
  await client.call(updateProfile, { params: { user: "me" }, body: { username, name: markup } });
  await page.goto("/workspaces");
  await page.getByRole("button", { name: username }).click();
  await page.getByRole("menuitem", { name: "Account" }).click();
  await page.getByRole("heading", { name: "Account", exact: true }).waitFor();
  await expect.poll(() => page.getByLabel("Name (optional)").inputValue()).toBe(markup);
  await page.getByLabel("Name (optional)").fill("Ann Example");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Profile saved.").waitFor();
  await expectSound(watched);
});

it("shows the new name of the user everywhere, and is ready for the next one", async () => {
  const { page } = await dashboard.openUserPage("una");
  await page.goto("/settings/account");
  for (const name of [freshName("una"), freshName("una")]) {
    await page.getByLabel("Username").fill(name);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Save (Nothing has changed)" }).waitFor();
    await page.getByRole("button", { name, exact: true }).waitFor();
  }
});

it("refuses a username at its field", async () => {
  const { page } = await dashboard.openAdminPage();
  await page.goto("/settings/account");
  await page.getByLabel("Username").fill("two words");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("must be letters and digits").waitFor();
  await expect.poll(() => page.getByLabel("Username").getAttribute("aria-invalid")).toBe("true");
});

describe("tokens", () => {
  it("are shown once, with the rights that were chosen, and deleted", async () => {
    const own = await dashboard.openUserPage("tom");
    const { page } = own;
    await page.goto("/settings/tokens");
    await page.getByText("No tokens yet").waitFor();
    await expectSound(own);
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog", { name: "New token" });
    await dialog.getByLabel("Name (optional)").fill("ci");
    await dialog.getByLabel("Connect to workspaces").check();
    await dialog.getByText("Single scopes").click();
    await dialog.getByText("workspace:application_connect").waitFor();
    expect(await dialog.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
    await expectSound(own);
    await dialog.getByRole("button", { name: "Create token" }).click();
    const shown = page.getByRole("dialog", { name: "Your new token" });
    const token = (await shown.locator("code").first().textContent()) ?? "";
    await shown.getByRole("button", { name: "Done" }).click();
    const limited = openClient(dashboard.server.url, token);
    await expect(limited.call(getGitKey, { params: { user: "me" } })).rejects.toMatchObject({
      status: 403,
    });
    const row = page.getByRole("row", { name: /^ci/ });
    await row.getByRole("cell", { name: "Connect to workspaces" }).waitFor();
    expect(await page.content()).not.toContain(token);
    await expectSound(own);
    await row.getByRole("button", { name: "Delete ci" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete token" }).click();
    await page.getByText("No tokens yet").waitFor();
  });

  it("are new ones each time, and stay in the list once they have expired", async () => {
    const { page } = await dashboard.openUserPage("tim");
    await page.goto("/settings/tokens");
    const made: string[] = [];
    for (const name of ["first", "second"]) {
      await page.getByRole("button", { name: "New token" }).click();
      const dialog = page.getByRole("dialog", { name: "New token" });
      const field = dialog.getByLabel("Name (optional)");
      expect(await field.inputValue()).toBe("");
      await field.fill(name);
      await dialog.getByLabel("All your rights").check();
      await dialog.getByRole("button", { name: "Create token" }).click();
      const shown = page.getByRole("dialog", { name: "Your new token" });
      made.push((await shown.locator("code").first().textContent()) ?? "");
      await shown.getByRole("button", { name: "Done" }).click();
    }
    const [first, second] = made.map((token) => openClient(dashboard.server.url, token));
    const expire = page.getByRole("button", { name: "Expire first" });
    await expire.click();
    await page.getByRole("dialog").getByRole("button", { name: "Expire token" }).click();
    await expect.poll(() => expire.getAttribute("aria-disabled")).toBe("true");
    const params = { user: "me" };
    await expect(first?.call(getGitKey, { params })).rejects.toMatchObject({ status: 401 });
    await expect(second?.call(getGitKey, { params })).resolves.toHaveProperty("public_key");
  });

  it("say at the field what is wrong with them", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/settings/tokens");
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog", { name: "New token" });
    await dialog.getByLabel("Name (optional)").fill("not a name");
    await dialog.getByLabel("All your rights").check();
    await dialog.getByRole("button", { name: "Create token" }).click();
    await dialog.getByText("must consist of letters").waitFor();
  });
});

it("regenerates the SSH key only after a warning", async () => {
  const { page, client } = watched;
  const before = await client.call(getGitKey, { params: { user: "me" } });
  await page.goto("/settings/ssh-keys");
  await page.getByText(before.public_key.trim()).waitFor();
  await page.getByRole("button", { name: "Regenerate…" }).click();
  await page.getByText("Git hosts refuse your workspaces").waitFor();
  await expectSound(watched);
  await page.getByRole("button", { name: "Regenerate key" }).click();
  await page.getByText("New key generated.").waitFor();
  const after = await client.call(getGitKey, { params: { user: "me" } });
  expect(after.public_key).not.toBe(before.public_key);
  await page.getByText(after.public_key.trim()).waitFor();
});

it("copies the key over plain http, where a page has no clipboard of its own", async () => {
  const { page } = await dashboard.openPage({ permissions: ["clipboard-read"] });
  await page.addInitScript("Object.defineProperty(window, 'isSecureContext', { value: false })");
  await logInByPage(page, watched.user);
  await page.goto("/settings/ssh-keys");
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByText("Copied").waitFor();
  const { public_key: key } = await watched.client.call(getGitKey, {
    params: { user: "me" },
  });
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(key.trim());
});

it("keeps the theme that was chosen over a reload", async () => {
  const { page } = watched;
  await page.goto("/settings/appearance");
  await page.getByRole("radio", { name: /^Dark/ }).check();
  await page.reload();
  await expect.poll(() => page.getByRole("radio", { name: /^Dark/ }).isChecked()).toBe(true);
  expect(await page.evaluate("getComputedStyle(document.documentElement).colorScheme")).toBe(
    "dark",
  );
  await expectSound(watched);
  await page.getByRole("radio", { name: /^System/ }).check();
});

it("has the three themes side by side, and on a phone below each other", async () => {
  const { page } = watched;
  await page.goto("/settings/appearance");
  const places = async (side: "x" | "y"): Promise<number> => {
    const choices = await page.getByRole("radio").all();
    const boxes = await Promise.all(choices.map((choice) => choice.boundingBox()));
    return new Set(boxes.map((box) => box?.[side])).size;
  };
  await expect.poll(() => places("x")).toBe(3);
  expect(await places("y")).toBe(1);
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(() => places("y")).toBe(3);
  await page.setViewportSize({ width: 1280, height: 800 });
});

it.each(["/settings/external-auth", "/settings/notifications", "/settings/security"])(
  "is sound at %s",
  async (path) => {
    await watched.page.goto(path);
    await watched.page.getByRole("heading", { name: "Account", exact: true }).waitFor();
    await expectSound(watched);
    expect(await watched.page.getByText("Delivery for everyone").count()).toBe(0);
  },
);

it("shows a notification the moment it arrives, as text", async () => {
  const own = await dashboard.openUserPage("ina");
  const { page, client } = own;
  await page.goto("/inbox");
  await page.getByText("No notifications yet").waitFor();
  await client.call(sendCustomNotification, {
    body: { content: { title: markup, message: `done ${markup}` } },
  });
  await page.getByText("<img src=x onerror=alert(1)>gnp", { exact: true }).waitFor();
  await page.getByRole("link", { name: /Inbox 1/ }).waitFor();
  expect(await page.locator("main img").count()).toBe(0);
  await expectSound(own);
  await page.getByRole("button", { name: "Mark all as read" }).click();
  await page.getByRole("link", { name: "Inbox", exact: true }).waitFor();
  await page.getByRole("link", { name: "Unread" }).click();
  await page.getByText("Nothing is unread").first().waitFor();
});

it("asks for the old password, and ends every session with a new one", async () => {
  const { page, client, user } = await dashboard.openUserPage("pam");
  const password = "battery-staple-2";
  const changes: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "PUT") changes.push(request.url());
  });
  await page.goto("/settings/security");
  await page.getByLabel("Current password").fill("wrong");
  await page.getByLabel("New password", { exact: true }).fill(password);
  await page.getByLabel("Confirm new password").fill("battery-staple");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("must match the new password").waitFor();
  await page.getByLabel("Confirm new password").fill(password);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.locator("[aria-invalid]").first().waitFor();
  await page.getByLabel("Current password").fill(user.password);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("Your session has ended.").waitFor();
  // The one that was not confirmed was not sent.
  expect(changes).toHaveLength(2);
  await expect(client.call(getGitKey, { params: { user: "me" } })).rejects.toMatchObject({
    status: 401,
  });
});

it("marks single notifications as read and as unread again, and says when that fails", async () => {
  const { page, client } = await dashboard.openUserPage("ivo");
  for (const title of ["First", "Second"]) {
    await client.call(sendCustomNotification, { body: { content: { title, message: "done" } } });
  }
  await page.goto("/inbox");
  const row = page.getByRole("listitem").filter({ hasText: "First" });
  await row.getByRole("button", { name: "Mark as read" }).click();
  await page.getByRole("link", { name: /Inbox 1/ }).waitFor();
  await row.getByRole("button", { name: "Mark as unread" }).click();
  await row.getByText("(unread)").waitFor();
  await page.getByRole("link", { name: /Inbox 2/ }).waitFor();
  await page.route("**/inbox/*/read-status", (route) =>
    route.fulfill({ status: 500, json: { message: "The database is full." } }),
  );
  await row.getByRole("button", { name: "Mark as read" }).click();
  await page.getByRole("status").getByText("The database is full.").waitFor();
  await row.getByText("(unread)").waitFor();
});

it("ends one session, and no other", async () => {
  const first = await dashboard.openUserPage("sid", { userAgent: "alpha/1" });
  const { page: second } = await dashboard.openPage({ userAgent: "beta/1" });
  const { page: third } = await dashboard.openPage({ userAgent: "gamma/1" });
  for (const page of [second, third]) await logInByPage(page, first.user);
  const { page } = first;
  await page.goto("/settings/security");
  const beta = page.getByRole("listitem").filter({ hasText: "beta/1" });
  await page.getByRole("button", { name: /^End… beta\/1 .* expires / }).click();
  const dialog = page.getByRole("dialog", { name: "End this session?" });
  await dialog.getByText("beta/1 is logged out").waitFor();
  await dialog.getByRole("button", { name: "End session" }).click();
  await beta.waitFor({ state: "detached" });
  await second.getByRole("dialog", { name: "Log in to Slipway" }).waitFor();
  await third.reload();
  await third.getByRole("heading", { name: "Workspaces" }).waitFor();
});

it("lists the sessions, and ends another one", async () => {
  const other = await dashboard.openUserPage("sam");
  const { page } = await dashboard.openPage();
  await logInByPage(page, other.user);
  await page.goto("/settings/security");
  const sessions = page.getByRole("list", { name: "Sessions" }).getByRole("listitem");
  await sessions.filter({ hasText: "this session" }).waitFor();
  await page.getByRole("button", { name: "End all others…" }).click();
  await page.getByRole("button", { name: "End sessions" }).click();
  await page
    .getByRole("button", { name: "End all others… (There is only this session)" })
    .waitFor();
  await expect.poll(() => sessions.count()).toBe(1);
  await other.page.goto("/settings/account");
  await other.page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();
});

it("says of each session what it is, and how it was last used", async () => {
  const { page, client } = await dashboard.openUserPage("sue");
  const [real] = await client.call(listSessions, { params: { user: "me" } });
  const never = { ...real, last_used: zeroTimestamp, created_at: "2026-01-01T00:00:00Z" };
  await page.route("**/users/me/sessions", (route) =>
    route.fulfill({
      json: [
        real,
        {
          ...never,
          id: "a",
          is_current: false,
          ip: "",
          user_agent: "first/1",
          created_by: real?.id,
        },
        {
          ...never,
          id: "b",
          is_current: false,
          user_agent: "second/1",
          last_used: "2026-01-02T00:00:00Z",
        },
      ],
    }),
  );
  await page.goto("/settings/security");
  const rows = page.getByRole("list", { name: "Sessions" }).getByRole("listitem");
  await rows
    .nth(0)
    .getByRole("button", { name: /^End… \(Log out instead\)/ })
    .waitFor();
  await rows
    .nth(1)
    .getByText(/^logged in .* ago · expires/)
    .waitFor();
  await rows.nth(1).getByText("created by an administrator").waitFor();
  await rows
    .nth(2)
    .getByText(/ · used .* ago · expires/)
    .waitFor();
  const timeOf = (index: number): Promise<string | null> =>
    rows.nth(index).locator("time").first().getAttribute("datetime");
  expect(await timeOf(1)).toBe("2026-01-01T00:00:00Z");
  expect(await timeOf(2)).toBe("2026-01-02T00:00:00Z");
  expect(
    await rows
      .nth(2)
      .getByText(/administrator|this session/)
      .count(),
  ).toBe(0);
});
