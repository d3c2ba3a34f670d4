import type { PrebuildClaim, PrebuildPool } from "@slipway/api/prebuilds/routes";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { markup, shownMarkup } from "./support/hostile-text.ts";

/* The page of pools, with pools and claims of every kind. */

const id = "11111111-1111-4111-8111-111111111111";

const pool: PrebuildPool = {
  organization_id: id,
  organization_name: "default",
  template_id: id,
  template_name: "box",
  template_version_id: id,
  template_version_name: "v1",
  preset_id: id,
  preset_name: "ready",
  active: true,
  desired: 3,
  running: 3,
  eligible: 2,
  starting: 1,
  claimed: 7,
  status: "healthy",
  backoff_until: null,
};

const claim: PrebuildClaim = {
  workspace_id: id,
  workspace_name: "dev",
  workspace_deleted: false,
  owner_name: "ann",
  template_name: "box",
  preset_name: "ready",
  created_at: "2026-01-31T10:00:00Z",
  claimed_at: "2026-01-31T12:00:00Z",
  reinit_sent_at: "2026-01-31T12:00:00.040Z",
  reinit_received_at: "2026-01-31T12:00:00.200Z",
  ready_at: null,
};

let dashboard: Dashboard;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard[Symbol.asyncDispose]());
afterEach(() => page.close());

/** Opens the page with these pools and claims. */
async function openPools(
  pools: readonly Partial<PrebuildPool>[],
  claims: readonly Partial<PrebuildClaim>[] = [],
): Promise<void> {
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
  await page.clock.install();
  await answerWith(pools);
  await page.route("**/prebuilds/claims", (route) =>
    route.fulfill({ json: claims.map((one) => ({ ...claim, ...one })) }),
  );
  await page.goto("/pools");
}

async function answerWith(pools: readonly Partial<PrebuildPool>[]): Promise<void> {
  await page.unroute("**/prebuilds/pools");
  const json = pools.map((one, index) => ({ ...pool, preset_id: `${id}${index}`, ...one }));
  await page.route("**/prebuilds/pools", (route) => route.fulfill({ json }));
}

function panel(name: string): Locator {
  return page.locator("section").filter({ has: page.getByRole("heading", { name }) });
}

it("shows what a pool has, and draws what becomes of it", async () => {
  await openPools([{}]);
  const box = panel("box / ready");
  await box.getByRole("img", { name: "Now desired 3, building 2, ready 2" }).waitFor();
  expect(await box.getByRole("definition").allInnerTexts()).toEqual(["3", "2", "2", "7", "so far"]);
  await answerWith([{ claimed: 8, running: 2, eligible: 1 }]);
  await page.clock.fastForward(10_000);
  await box.getByText("1 since you opened this page").waitFor();
  await box.getByRole("img", { name: "Now desired 3, building 2, ready 1" }).waitFor();
  await box.getByText("the last 10 s").waitFor();
  await expectSound(watched);
});

it("says what keeps a pool from being filled, and what to do", async () => {
  await openPools([
    { preset_name: "fine" },
    { preset_name: "limited", status: "hard_limited" },
    { preset_name: markup, status: "validation_failed" },
    { preset_name: "waiting", status: "backed_off", backoff_until: "2099-01-01T00:00:00Z" },
    { preset_name: "old", active: false },
  ]);
  await panel("box / fine").getByText("Healthy").waitFor();
  await panel("box / limited").getByText("Too many builds failed in a row.").waitFor();
  await panel(`box / ${shownMarkup}`).getByText("The values of the preset do not fit").waitFor();
  await panel("box / waiting")
    .getByText(/Another attempt follows. Next attempt in \d+ months/)
    .waitFor();
  await panel("box / old").getByText("old version, draining").waitFor();
  await panel("box / old")
    .getByRole("button", { name: "Replace… (The pool of an old version is already draining)" })
    .waitFor();
  expect(await panel("box / fine").getByText("draining").count()).toBe(0);
  await expectSound(watched);
});

it("lists claims with the times of their steps, and new ones without a reload", async () => {
  const gone = { workspace_id: `${id}1`, workspace_deleted: true, reinit_received_at: null };
  await openPools([{}], [{ preset_name: markup }, gone]);
  const rows = page.getByRole("table", { name: "Latest claims" }).getByRole("row");
  const cellsOf = async (index: number): Promise<readonly string[]> =>
    (await rows.nth(index).getByRole("cell").allInnerTexts()).slice(1);
  await expect
    .poll(() => cellsOf(1))
    .toEqual(["ann/dev", `box / ${shownMarkup}`, "2 h", "+40 ms", "+200 ms", "—"]);
  expect(await cellsOf(2)).toEqual(["deleted", "box / ready", "2 h", "+40 ms", "—", "—"]);
  expect(await rows.getByRole("link").count()).toBe(1);
  await page.route("**/prebuilds/claims", (route) => route.fulfill({ json: [claim] }));
  await page.clock.fastForward(30_000);
  await expect.poll(() => rows.count()).toBe(2);
  await expectSound(watched);
  await rows.getByRole("link", { name: "ann/dev" }).click();
  await page.waitForURL("**/@ann/dev");
});

it("says what pools and claims are while there are none", async () => {
  await openPools([]);
  await page.getByText("No pools yet").waitFor();
  expect(await page.getByText("Latest claims").count()).toBe(0);
  await expectSound(watched);
  await answerWith([{}]);
  await page.clock.fastForward(10_000);
  await page.getByText("No claims yet").waitFor();
});
