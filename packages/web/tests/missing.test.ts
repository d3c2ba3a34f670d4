import { createWorkspace } from "@slipway/api/workspaces/routes";
import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Dashboard, expectSound, openDashboard } from "./support/dashboard.ts";

/* Addresses of what does not exist, or may not be seen. */

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
  const yaml = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
  const templateId = await pushTemplate(dashboard.admin, "box", yaml);
  await dashboard.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "dev", template_id: templateId },
  });
});
afterAll(() => dashboard[Symbol.asyncDispose]());

const version = "00000000-0000-4000-8000-000000000000";
const missing = [
  ["/@admin/gone.main/settings", "There is no workspace admin/gone", "/workspaces"],
  ["/@admin/gone/terminal", "There is no workspace admin/gone", "/workspaces"],
  ["/@admin/dev/builds/99", "There is no build 99", "/@admin/dev/builds"],
  ["/@admin/dev/builds/latest", "There is no build latest", "/@admin/dev/builds"],
  ["/templates/gone/versions", "There is no template gone", "/templates"],
  ["/templates/box/versions/v1", "There is no such version", "/templates/box/versions"],
  [
    `/templates/box/versions/${version}/edit`,
    "There is no such version",
    "/templates/box/versions",
  ],
] as const;

it.for(missing)("answers %s calmly: %s", async ([path, title, next]) => {
  const watched = await dashboard.openAdminPage();
  const { page } = watched;
  await page.goto(path);
  await page.getByText(title, { exact: true }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
  const link = page.getByRole("main").getByRole("link").last();
  await expect.poll(() => link.getAttribute("href")).toBe(next);
  // The console reports the answer 404.
  await expectSound(watched, /status of 404/);
});

it("says the same of a workspace that one may not see", async () => {
  const { page } = await dashboard.openUserPage("bob");
  await page.goto("/@admin/dev");
  await page.getByText("There is no workspace admin/dev", { exact: true }).waitFor();
});
