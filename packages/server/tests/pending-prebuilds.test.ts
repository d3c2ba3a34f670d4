import { acquire, type ClaimStage, fillPool } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { openStage } from "./support/claim-stage.ts";

/**
 * The pending builds that a check of the pools cancels: those of unwanted prebuilds, and no others.
 */

const limits = { backoffMs: 0, lookbackMs: 3_600_000, failureHardLimit: 0 };

let opened: AsyncDisposableStack;
let stage: ClaimStage;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, "manual", { instances: 2 });
});

afterEach(() => opened.disposeAsync());

interface Build {
  readonly id: string;
  readonly text: string;
}

/** Lists every build with its state, in order of creation. */
async function listBuilds(): Promise<readonly Build[]> {
  const { rows } = await sql<Build>`
    select b.id, b.transition || case when j.canceled_at is not null then ' canceled'
        when j.completed_at is not null then ' done'
        when j.started_at is not null then ' running' else ' pending' end as text
      from workspace_builds b join jobs j on j.id = b.job_id
      order by b.created_at, b.id`.execute(stage.needs.db);
  return rows;
}

async function listTexts(): Promise<readonly string[]> {
  return (await listBuilds()).map(({ text }) => text).toSorted();
}

async function replaceVersion(): Promise<void> {
  const next = await stage.pushVersion();
  await stage.activate(next.id);
}

async function takeJob() {
  const work = await acquire(stage.needs);
  if (work === undefined) throw new Error("no job waits");
  return work;
}

describe("a look at the pools", () => {
  it("cancels what waits of a version that is no longer active", async () => {
    await stage.look(limits);
    await replaceVersion();
    await stage.look(limits);
    const expected = ["delete pending", "start canceled", "start pending"];
    expect(await listTexts()).toEqual(expected.flatMap((text) => [text, text]));
  });

  it("does not cancel what waits of the active version", async () => {
    await stage.look(limits);
    expect(await stage.look(limits)).toBe(0);
    expect(await listTexts()).toEqual(["start pending", "start pending"]);
  });

  it("does not cancel what a worker has begun, and deletes it once that is done", async () => {
    await stage.look(limits);
    const work = await takeJob();
    await replaceVersion();
    await stage.look(limits);
    expect(await listTexts()).toContain("start running");
    await work.end("succeed");
    await stage.look(limits);
    const texts = await listTexts();
    expect(texts.filter((text) => text === "start canceled")).toHaveLength(1);
    expect(texts.filter((text) => text === "delete pending")).toHaveLength(2);
  });

  it("does not cancel the stop or the deletion of a prebuild", async () => {
    const [first = "", second = ""] = await fillPool(stage);
    const next = await stage.pushVersion();
    const builds = new Set([
      await stage.build(stage.admin, first, "stop"),
      await stage.build(stage.admin, second, "delete"),
    ]);
    await stage.activate(next.id);
    await stage.look(limits);
    const waiting = (await listBuilds()).filter(({ id }) => builds.has(id));
    expect(waiting.map(({ text }) => text).toSorted()).toEqual(["delete pending", "stop pending"]);
  });

  it("does not cancel a claim, nor any other build of a user", async () => {
    await fillPool(stage);
    const next = await stage.pushVersion();
    const ann = await stage.addUser("ann");
    const claimed = await stage.create(ann, { name: "mine", presetId: stage.version.presetId });
    const ordinary = await stage.create(ann, { name: "other" });
    expect(claimed.latest_build.build_number).toBe(2);
    await stage.activate(next.id);
    await stage.look(limits);
    const builds = new Set([claimed.latest_build.id, ordinary.latest_build.id]);
    const theirs = (await listBuilds()).filter(({ id }) => builds.has(id));
    expect(theirs.map(({ text }) => text)).toEqual(["start pending", "start pending"]);
  });

  it("does not cancel what another look has locked, and does so the next time", async () => {
    await stage.look(limits);
    await replaceVersion();
    const { db } = stage.needs;
    const other = await db.startTransaction().execute();
    try {
      await sql`select from workspaces for no key update`.execute(other);
      await stage.look(limits);
    } finally {
      await other.rollback().execute();
    }
    const pending = Array.from({ length: 4 }, () => "start pending");
    expect(await listTexts()).toEqual(pending);
    await stage.look(limits);
    expect((await listTexts()).filter((text) => text === "start canceled")).toHaveLength(2);
  });
});
