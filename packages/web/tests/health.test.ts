import { getHealthReport } from "@slipway/api/deployment/routes";
import { listProvisionerDaemons } from "@slipway/api/organizations/provisioner-routes";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { hold } from "./support/held-request.ts";
import { markup, shownMarkup } from "./support/hostile-text.ts";

/* The page that tells whether the deployment is well, and what to do unless it is. */

const report = "**/api/v2/debug/health";
const daemons = "**/provisionerdaemons?*";
const relay = "**/derp/latency-check";

let dashboard: Dashboard;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
});
afterAll(() => dashboard[Symbol.asyncDispose]());
afterEach(() => page.unrouteAll());

type Severity = "ok" | "warning" | "error";

/** Answers with the real report, but for its database. */
async function reportDatabase(severity: Severity, message: string): Promise<void> {
  const real = await dashboard.admin.call(getHealthReport);
  const database = { ...real.database, severity, warnings: [{ code: "EDB02", message }] };
  await page.route(report, (route) => route.fulfill({ json: { ...real, database } }));
}

function check(name: string): Locator {
  return page.getByRole("main").getByRole("listitem").filter({ hasText: name });
}

it.each([
  ["warning", "Warning", "Everything works, but something needs attention."],
  ["error", "Failing", "Something is not working."],
] as const)(
  "says first that there is a check with the severity %s",
  async (severity, word, title) => {
    await reportDatabase(severity, `slow ${markup}`);
    await page.goto("/health");
    await page.getByText(title, { exact: true }).waitFor();
    const database = check("Stores all data.");
    await database.getByText(word, { exact: true }).waitFor();
    await database.getByText(`Slow ${shownMarkup}.`).waitFor();
    await database.getByText("Check the load of the database machine").waitFor();
    await check("Access URL").getByText("Healthy", { exact: true }).waitFor();
    await expectSound(watched);
  },
);

it("checks again when asked, and by itself", async () => {
  await page.clock.install();
  await page.goto("/health");
  await check("Database").waitFor();
  await reportDatabase("warning", "first");
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("First.").waitFor();
  await page.unroute(report);
  await reportDatabase("warning", "second");
  await page.clock.fastForward(30_000);
  await page.getByText("Second.").waitFor();
});

it("says nothing of the whole before every check has ended", async () => {
  const held = await hold(page, report, "GET");
  await page.goto("/health");
  await held.arrived;
  await page.getByRole("table", { name: "Servers and provisioners" }).waitFor();
  expect(await page.getByText(/Everything works|Something is not/).count()).toBe(0);
  held.release();
  await page.getByText(/Everything works/).waitFor();
});

it("says that it could not check, and not that everything works", async () => {
  await page.route(report, (route) =>
    route.fulfill({ status: 400, json: { message: "There is no report." } }),
  );
  await page.goto("/health");
  await page.getByRole("alert").getByText("There is no report.").waitFor();
  await check("WebSocket").waitFor();
  expect(await page.getByText("Everything works").count()).toBe(0);
  await expectSound(watched, /status of 400/);
});

it("tells what fails between this browser and the relay", async () => {
  await page.route(relay, (route) => route.fulfill({ status: 502 }));
  await page.goto("/health");
  await page.getByText("Something is not working.").waitFor();
  await check("Relay").getByText("It answered 502.").waitFor();
  await check("Relay").getByText("must forward /derp").waitFor();
  await page.unroute(relay);
  await page.route(relay, (route) => route.abort());
  await page.getByRole("button", { name: "Check again" }).click();
  await check("Relay").getByText("It did not answer.").waitFor();
  await expectSound(watched, /status of 502|ERR_FAILED/);
});

it("lists the servers, and names those of another version", async () => {
  const params = { organization: "default" };
  const [real] = await dashboard.admin.call(listProvisionerDaemons, { params });
  const other = {
    ...real,
    id: "11111111-1111-4111-8111-111111111111",
    name: markup,
    version: "v0.0.1",
    status: "busy",
    provisioners: ["docker", "external"],
  };
  await page.route(daemons, (route) => route.fulfill({ json: [real, other] }));
  await page.goto("/health");
  await check("Servers").getByText(`${shownMarkup} (v0.0.1)`).waitFor();
  const row = page.getByRole("row").filter({ hasText: shownMarkup });
  expect((await row.getByRole("cell").allInnerTexts()).slice(0, 4)).toEqual([
    shownMarkup,
    "Building",
    "v0.0.1",
    "docker, external",
  ]);
  await expectSound(watched);
});
