import { silentLogger } from "@slipway/runtime";
import { createFakeClock, openTestDatabase } from "@slipway/testkit";
import { Registry } from "prom-client";
import { expect, inject, it } from "vitest";

import { addPoolMetrics } from "../src/features/prebuilds/pools/metrics.ts";
import { defaultReconciler } from "../src/features/prebuilds/reconcile/reconciler.ts";
import { openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { claim, fillPool, pushPool, waitForPrebuilds } from "./support/pool.ts";

/* The metrics of pools as Prometheus reads them. */

it("tells Prometheus of pools, claims and looks", async () => {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await openServer(inject("postgresUrl")));
  const pool = await pushPool(server, 2);
  await fillPool(server, 2, opened);
  const { client } = await addPerson(server, "ann");
  await claim(client, "mine", pool);
  await waitForPrebuilds(server, 2);
  const labels = '{template_name="pool",preset_name="ready",organization_name="default"}';
  const lines = (await (await fetch(`${server.url}/metrics`)).text()).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      `slipway_prebuilt_workspaces_created_total${labels} 3`,
      `slipway_prebuilt_workspaces_failed_total${labels} 0`,
      `slipway_prebuilt_workspaces_claimed_total${labels} 1`,
      `slipway_prebuilt_workspaces_desired${labels} 2`,
      `slipway_prebuilt_workspaces_running${labels} 2`,
      `slipway_prebuilt_workspaces_eligible${labels} 1`,
      `slipway_prebuilt_workspaces_preset_hard_limited${labels} 0`,
      `slipway_prebuilt_workspaces_preset_validation_failed${labels} 0`,
      "slipway_prebuilds_reconciliation_paused 0",
      `slipway_prebuilt_workspace_claim_duration_seconds_count${labels} 1`,
    ]),
  );
  const looks = lines.find((line) => line.includes("reconciliation_duration_seconds_count"));
  expect(Number(looks?.split(" ")[1])).toBeGreaterThan(0);
});

it("asks the database no more often than it must, and does without it", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const registry = new Registry();
  const clock = createFakeClock();
  const needs = { db: database.db, clock, logger: silentLogger, limits: defaultReconciler };
  addPoolMetrics(registry, needs);
  const read = async () => /paused (\d)$/m.exec(await registry.metrics())?.[1];
  expect(await read()).toBe("0");
  await database.db
    .insertInto("deployment")
    .values({ key: "prebuilds_settings", value: '{"reconciliation_paused":true}' })
    .execute();
  expect(await read()).toBe("0");
  await clock.advance(30_000);
  expect(await read()).toBe("1");
  await database.db.destroy();
  expect(await read()).toBe("1");
  await clock.advance(30_000);
  expect(await read()).toBeUndefined();
});
