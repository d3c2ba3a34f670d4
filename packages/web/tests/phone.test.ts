import { createProvisionerKey } from "@slipway/api/organizations/provisioner-routes";
import { createToken } from "@slipway/api/users/key-routes";
import { createUser, updateUserRoles } from "@slipway/api/users/routes";
import { pushTemplate, testAdmin } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, logInByPage, newUser, openDashboard } from "./support/dashboard.ts";
import { makeKey } from "./support/provisioner-keys.ts";

/* The pages on a narrow screen, with names and texts as long as they may be. */

const longName = "a-template-with-the-longest-name";
const template = `
driver: external
display_name: ${"Wide".repeat(16)}
description: ${"https://example.com/with/a/long/path".repeat(4)}
parameters:
  hosts:
    { type: "list(string)", mutable: true, default: ["${"h".repeat(60)}"], description: "${"d".repeat(60)}" }
  ${"b".repeat(32)}: { type: bool, default: false, mutable: true, description: "${"e".repeat(60)}" }
presets:
  ${"p".repeat(32)}: { prebuilds: { instances: 1 } }
agents:
  main: { os: linux, arch: amd64 }
`;

let dashboard: Dashboard;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  await pushTemplate(dashboard.admin, longName, template);
  ({ page } = await dashboard.openPage({ viewport: { width: 390, height: 844 } }));
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Boxes that cut off what is in them, but for texts that end with an ellipsis and texts for screen readers. */
const cutting = `[...document.querySelectorAll("main *")].filter((one) => {
  const { overflowX, textOverflow } = getComputedStyle(one);
  const isCutting = overflowX === "hidden" && textOverflow !== "ellipsis" && one.clientWidth > 1;
  return isCutting && one.scrollWidth > one.clientWidth + 2;
}).map((one) => one.textContent)`;

/** Opens a page, and expects that it has what it shows, does not scroll sideways and cuts nothing off. */
async function expectNarrow(path: string, text: string): Promise<void> {
  await page.goto(path);
  await page.getByText(text).first().waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBe(390);
  expect(await page.evaluate(cutting), path).toEqual([]);
}

it("do not scroll sideways before the log-in", async () => {
  await expectNarrow("/login", "Log in to Slipway");
  await expectNarrow("/nowhere", "There is no such page");
  await expectNarrow("/templates/a/b/c/d", "There is no such page");
});

it("do not scroll sideways after it", async () => {
  await logInByPage(page, testAdmin);
  const wide = "Wide".repeat(16);
  await expectNarrow("/cli-auth", "Log in on the command line");
  await expectNarrow("/login/device", "Log in a program");
  await expectNarrow("/workspaces/new", wide);
  await expectNarrow(`/templates/${longName}/workspace`, "p".repeat(32));
  await expectNarrow("/templates", wide);
  for (const tab of ["", "/versions", "/settings"]) {
    await expectNarrow(`/templates/${longName}${tab}`, wide);
  }
  await page.goto(`/templates/${longName}/versions`);
  await page.getByRole("table").getByRole("link").first().click();
  await page.getByText("Import log").first().waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await expectNarrow("/pools", "p".repeat(32));
  const figures = await page.getByRole("definition").all();
  const places = await Promise.all(figures.map((figure) => figure.boundingBox()));
  expect(new Set(places.map((place) => place?.x)).size).toBe(2);
  await expectNarrow("/inbox", "No notifications yet");
  await expectNarrow("/settings/account", "Username");
  await expectNarrow("/settings/security", "this session");
  await expectNarrow("/settings/ssh-keys", "ssh-ed25519");
  await expectNarrow("/settings/external-auth", "No providers are configured");
  await expectNarrow("/settings/notifications", "What you are notified about");
  await expectNarrow("/settings/appearance", "Dark");
});

it("fit the use of a template in many days", async () => {
  const entries = Array.from({ length: 60 }, (_, day) => ({
    date: new Date(Date.UTC(2026, 9, 3 + day)).toISOString().slice(0, 10),
    amount: day % 7,
  }));
  await page.route("**/templates/*/daus?*", (route) =>
    route.fulfill({ json: { entries, tz_hour_offset: 0 } }),
  );
  await expectNarrow(`/templates/${longName}`, "Since 2026-10-03");
  await page.getByText("6 on the busiest day").waitFor();
});

it("hide nothing of a row under its actions, however long its badges are", async () => {
  await logInByPage(page, testAdmin);
  const person = newUser("rita");
  await dashboard.admin.call(createUser, { body: person });
  const params = { user: person.username };
  await dashboard.admin.call(updateUserRoles, {
    params,
    body: { roles: ["template-admin", "user-admin"] },
  });
  await dashboard.admin.call(createToken, {
    params: { user: "me" },
    body: {
      token_name: "a-token-with-a-long-name",
      scopes: ["coder:workspaces.operate", "coder:workspaces.access"],
    },
  });
  await dashboard.admin.call(createProvisionerKey, {
    params: { organization: "default" },
    body: { name: "a-key-with-a-long-name", tags: { datacenter: "x".repeat(60) } },
  });
  for (const [path, label, texts] of [
    ["/users", "Users", ["Template Admin", "Has never logged in"]],
    ["/settings/tokens", "API tokens", ["Start and stop workspaces", "never used"]],
    ["/provisioners", "Provisioner keys", ["x".repeat(60), "None online"]],
    [`/templates/${longName}/versions`, "Versions", ["Imported"]],
  ] as const) {
    await page.goto(path);
    const table = page.getByRole("region", { name: label });
    for (const text of texts) {
      await table.getByText(text).and(page.locator(":visible")).first().waitFor();
    }
    expect(await table.evaluate((one) => one.scrollWidth - one.clientWidth), path).toBe(0);
  }
});

it("show which settings of the deployment are set, without scrolling their tables", async () => {
  await logInByPage(page, testAdmin);
  await page.goto("/deployment");
  const table = page.getByRole("region", { name: "General" });
  const row = table.getByRole("row", { name: /SLIPWAY_ADMIN_EMAIL/ });
  await row.getByText("set by you").and(page.locator(":visible")).waitFor();
  expect(await table.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
});

it("keep the command that starts a provisioner in view, with its button", async () => {
  await makeKey(dashboard.admin, "europe");
  await logInByPage(page, testAdmin);
  await page.goto("/provisioners");
  const box = await page.getByRole("button", { name: "Copy" }).boundingBox();
  expect((box?.x ?? 999) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
});

it("keep the menu of a row in view", async () => {
  await logInByPage(page, testAdmin);
  await expectNarrow("/users", testAdmin.email);
  const menu = page.getByRole("button", { name: "Actions for admin" });
  const right = async (): Promise<number> => {
    const box = await menu.boundingBox();
    return box === null ? Number.POSITIVE_INFINITY : box.x + box.width;
  };
  await expect.poll(right).toBeLessThanOrEqual(390);
  // A click would scroll to it first; the element at its place is what a finger meets.
  const isOnTop = await menu.evaluate((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const found = element.ownerDocument.elementFromPoint(x + width / 2, y + height / 2);
    return element.contains(found);
  });
  expect(isOnTop).toBe(true);
});
