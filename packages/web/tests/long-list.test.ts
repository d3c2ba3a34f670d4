import { createWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import { fillFleet, openTestDatabase, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import pg from "pg";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { type Dashboard, openDashboard } from "./support/dashboard.ts";

/* A list that is longer than its pages: only the rows in view exist. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const count = 1_000;

const resources = new AsyncDisposableStack();
let dashboard: Dashboard;

beforeAll(async () => {
  const { url } = resources.use(await openTestDatabase(inject("postgresUrl")));
  dashboard = resources.use(await openDashboard({ environment: { SLIPWAY_POSTGRES_URL: url } }));
  const { admin } = dashboard;
  const templateId = await pushTemplate(admin, "outside", template);
  const { id } = await admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name: "first", template_id: templateId },
  });
  const workspace = await waitForWorkspace(
    admin,
    id,
    ({ latest_build }) => latest_build.status === "running",
  );
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const jobs = await client.query<{ file_id: string }>(
    "select j.file_id from workspace_builds b join jobs j on j.id = b.job_id where b.workspace_id = $1",
    [id],
  );
  const place = {
    organizationId: workspace.organization_id,
    userId: workspace.owner_id,
    workspaceId: id,
    versionId: workspace.latest_build.template_version_id,
    fileId: jobs.rows[0]?.file_id ?? "",
  };
  await fillFleet((statement) => client.query(statement), place, count);
  await client.end();
});
afterAll(() => resources.disposeAsync());

/** The rows that a page has, by their place in the list. */
async function rowsOf(page: Page): Promise<
  readonly {
    readonly index: number;
    readonly name: string;
    readonly top: number;
    readonly bottom: number;
    /** True if its content is higher than the row. */
    readonly isCut: boolean;
  }[]
> {
  return page.locator("[data-index]").evaluateAll((rows) =>
    rows
      .map((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        const index = Number(row.getAttribute("data-index"));
        const name = row.querySelector("a")?.textContent ?? "";
        return { index, name, top, bottom, isCut: row.scrollHeight > row.clientHeight + 1 };
      })
      .toSorted((a, b) => a.index - b.index),
  );
}

/** The different heights of the rows that a page has. */
async function heightsOf(page: Page): Promise<readonly number[]> {
  const rows = await rowsOf(page);
  return [...new Set(rows.map(({ top, bottom }) => Math.round(bottom - top)))];
}

/** Expects that what is in view has all rows, below each other, with the names that the server lists. */
async function expectWhole(page: Page, names: readonly string[]): Promise<void> {
  await expect
    .poll(async () => (await rowsOf(page)).every(({ name }) => name !== ""), { timeout: 30_000 })
    .toBe(true);
  const rows = await rowsOf(page);
  const [first] = rows;
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.length).toBeLessThan(60);
  expect(rows.map(({ index }) => index)).toEqual(rows.map((_, at) => (first?.index ?? 0) + at));
  expect(rows.map(({ name }) => name)).toEqual(rows.map(({ index }) => names[index]));
  expect(rows.filter(({ isCut }) => isCut)).toEqual([]);
  for (const [at, row] of rows.slice(1).entries()) {
    expect(row.top, row.name).toBeCloseTo(rows[at]?.bottom ?? 0, 0);
  }
}

async function listedNames(): Promise<readonly string[]> {
  const pages = await Promise.all(
    Array.from({ length: Math.ceil((count + 1) / 100) }, (_, page) =>
      dashboard.admin.call(listWorkspaces, {
        query: { q: "", limit: "100", offset: String(page * 100) },
      }),
    ),
  );
  return pages.flatMap(({ workspaces }) => workspaces.map(({ name }) => name));
}

it("shows each of its places, at any width and any size of its text", async () => {
  const names = await listedNames();
  expect(names).toHaveLength(count + 1);
  const { page, problems } = await dashboard.openAdminPage();
  await page.goto("/workspaces?q=");
  await page.getByText("1,001 workspaces").waitFor();
  await expectWhole(page, names);
  await page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)");
  await expectWhole(page, names);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectWhole(page, names);
  await page.setViewportSize({ width: 1280, height: 800 });
  await expect.poll(() => heightsOf(page)).toEqual([57]);
  await page.evaluate("window.scrollTo(0, document.body.scrollHeight)");
  await page.getByRole("link", { name: names.at(-1) ?? "", exact: true }).waitFor();
  await expectWhole(page, names);
  await page.addInitScript(`
    addEventListener("DOMContentLoaded", () => { document.documentElement.style.fontSize = "22px"; });
  `);
  await page.reload();
  await page.getByText("1,001 workspaces").waitFor();
  await expectWhole(page, names);
  expect(problems).toEqual([]);
});

it("has the rows that a scroll reaches next before it does", async () => {
  const { page } = await dashboard.openAdminPage();
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === "/api/v2/workspaces") asked.push(searchParams.get("offset") ?? "");
  });
  await page.goto("/workspaces?q=");
  await page.getByText("1,001 workspaces").waitFor();
  expect(new Set(asked.filter((offset) => offset !== ""))).toEqual(new Set(["0"]));
  // The row that is 40 before the second page.
  await page.evaluate("window.scrollTo(0, 60 * 57)");
  await expect.poll(() => asked).toContain("100");
  expect((await rowsOf(page)).every(({ index }) => index < 100)).toBe(true);
  expect(asked).not.toContain("200");
});
