import { silentLogger } from "@slipway/runtime";
import { acquire, type ClaimStage, createFakeClock, fillPool } from "@slipway/testkit";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { addPoolMetrics } from "../src/features/prebuilds/pools/metrics.ts";
import { deleteTemplate } from "../src/features/templates/change-service.ts";
import { openStage } from "./support/claim-stage.ts";

const limits = { backoffMs: 60_000, lookbackMs: 3_600_000, failureHardLimit: 2 };

let opened: AsyncDisposableStack;
let stage: ClaimStage;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, "external", { instances: 2 });
});

afterEach(() => opened.disposeAsync());

/** Reads the numbers of all pools, by the metric's name without its prefix. */
async function read(): Promise<Readonly<Record<string, number>>> {
  const registry = new Registry();
  const { db } = stage.needs;
  addPoolMetrics(registry, { db, clock: createFakeClock(), logger: silentLogger, limits });
  const lines = (await registry.metrics()).split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^slipway_prebuilt_workspaces_(\w+)\{.*\} (\S+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(value)]];
    }),
  );
}

/** Makes the next builds fail. */
async function fail(count: number): Promise<void> {
  for (let failed = 0; failed < count; failed += 1) await (await acquire(stage.needs))?.end("fail");
}

describe("the metrics of pools", () => {
  it("count what was made, what of it failed, and what got an owner", async () => {
    await stage.look(limits);
    await fail(1);
    await stage.carryOut();
    expect(await read()).toMatchObject({
      created_total: 2,
      failed_total: 1,
      claimed_total: 0,
      desired: 2,
      running: 1,
      eligible: 0,
      preset_hard_limited: 0,
    });
    // One is missing, and the pool backs off.
    expect(await stage.look(limits)).toBe(0);
    await fillPool(stage);
    const ann = await stage.addUser("ann");
    await stage.create(ann, { name: "mine", presetId: stage.version.presetId });
    expect(await read()).toMatchObject({ failed_total: 1, claimed_total: 1 });
  });

  it("say that a pool is hard limited, until what failed is deleted", async () => {
    await stage.look(limits);
    await fail(2);
    expect(await read()).toMatchObject({
      failed_total: 2,
      running: 0,
      preset_hard_limited: 1,
      preset_validation_failed: 0,
    });
    expect(await stage.look({ ...limits, backoffMs: 0 })).toBe(0);
    const { db } = stage.needs;
    const rows = await db.selectFrom("workspaces").select("id").execute();
    for (const { id } of rows) await stage.build(stage.admin, id, "delete");
    await stage.carryOut();
    expect(await read()).toMatchObject({ failed_total: 2, preset_hard_limited: 0 });
    expect(await stage.look(limits)).toBe(2);
  });

  it("say that a preset lacks values, until a version has them", async () => {
    const { db } = stage.needs;
    await db
      .updateTable("template_version_presets")
      .set({ prebuild_status: "validation_failed" })
      .execute();
    expect(await stage.look(limits)).toBe(0);
    expect(await read()).toMatchObject({ desired: 2, running: 0, preset_validation_failed: 1 });
    const next = await stage.pushVersion();
    await stage.activate(next.id);
    expect(await read()).toMatchObject({ preset_validation_failed: 0 });
    expect(await stage.look(limits)).toBe(2);
  });

  it("are those of the active version, with what is left of old ones", async () => {
    await fillPool(stage);
    const next = await stage.pushVersion();
    await stage.activate(next.id);
    expect(await read()).toMatchObject({ created_total: 2, desired: 2, running: 0, eligible: 0 });
    await stage.look(limits);
    await stage.carryOut();
    expect(await read()).toMatchObject({ created_total: 4, desired: 2, running: 2 });
  });

  it("leave out templates that were deleted, also while their prebuilds are", async () => {
    await fillPool(stage);
    expect(await read()).toMatchObject({ created_total: 2, running: 2, eligible: 2 });
    await deleteTemplate(stage.needs.db, stage.admin, stage.templateId);
    expect(await read()).toEqual({});
    await stage.look(limits);
    await stage.carryOut();
    expect(await read()).toEqual({});
  });
});
