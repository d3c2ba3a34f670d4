import { weekdays } from "@slipway/api/templates/template";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { silentLogger } from "@slipway/runtime";
import { acquire, type ClaimStage, fillPool } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { applySchedules } from "../src/features/schedules/scheduler.ts";
import { changeTemplate } from "../src/features/templates/change-service.ts";
import { setDormant } from "../src/features/workspaces/dormancy-service.ts";
import { selectWorkspace } from "../src/features/workspaces/queries.ts";
import { setAutostart } from "../src/features/workspaces/settings-service.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { openStage } from "./support/claim-stage.ts";

/** Automatic stops, starts and dormancy of workspaces, as prebuilds and after their claims. */

const hourMs = 3_600_000;
const { signal } = new AbortController();

let opened: AsyncDisposableStack;
let stage: ClaimStage;
let ann: UserCaller;
let prebuildId: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, "external");
  ann = await stage.addUser("ann");
  [prebuildId = ""] = await fillPool(stage);
});

afterEach(() => opened.disposeAsync());

function claim(more: { readonly ttlMs?: number } = {}): Promise<Workspace> {
  return stage.create(ann, { name: "mine", presetId: stage.version.presetId, ...more });
}

/** Runs everything that is due at that time; resolves to the newest builds. */
async function carryOutAt(ms: number): Promise<readonly string[]> {
  await applySchedules({ ...stage.needs, logger: silentLogger }, ms, signal);
  const { rows } = await sql<{ readonly text: string }>`
    select distinct on (b.workspace_id) b.build_number || ' ' || b.transition || ' ' || b.reason as text
      from workspace_builds b join workspaces w on w.id = b.workspace_id
      where not w.deleted order by b.workspace_id, b.build_number desc`.execute(stage.needs.db);
  return rows.map(({ text }) => text);
}

/** Alters a prebuild as an older server, or a bug, might have. */
async function disturbPrebuild(): Promise<void> {
  const { db } = stage.needs;
  const past = new Date(Date.now() - hourMs).toISOString();
  await db
    .updateTable("workspaces")
    .set({
      dormant_at: past,
      autostart_schedule: "0 9 * * *",
      next_start_at: past,
      ttl_ms: 60_000,
    })
    .execute();
  await db.updateTable("workspace_builds").set({ deadline: past }).execute();
}

describe("a prebuild", () => {
  it("has no deadline, and is not stopped, started or deleted, whatever stands in its row", async () => {
    const { db } = stage.needs;
    await changeTemplate(db, stage.admin, stage.templateId, {
      time_til_dormant_autodelete_ms: 24 * hourMs,
    });
    const build = await db.selectFrom("workspace_builds").select("deadline").executeTakeFirst();
    expect(build?.deadline).toBeNull();
    await disturbPrebuild();
    for (const hours of [48, 96, 144]) {
      expect(await carryOutAt(Date.now() + hours * hourMs)).toEqual(["1 start initiator"]);
    }
  });

  it("is exempt from its template's rules, whether it runs or its start failed", async () => {
    const { needs, admin, templateId } = stage;
    await changeTemplate(needs.db, admin, templateId, {
      failure_ttl_ms: hourMs,
      autostop_requirement: { days_of_week: [...weekdays], weeks: 1 },
      time_til_dormant_ms: hourMs,
    });
    expect(await carryOutAt(Date.now())).toEqual(["1 start initiator"]);
    const build = await needs.db
      .selectFrom("workspace_builds")
      .select(["deadline", "max_deadline"])
      .executeTakeFirst();
    expect(build).toEqual({ deadline: null, max_deadline: null });
    await needs.db.updateTable("jobs").set({ error: "no room" }).execute();
    expect(await carryOutAt(Date.now() + 48 * hourMs)).toEqual(["1 start initiator"]);
  });

  it("loses all that with its claim, and is its owner's to stop, start and put to sleep", async () => {
    await disturbPrebuild();
    const { id } = await claim({ ttlMs: hourMs });
    expect(id).toBe(prebuildId);
    const { db } = stage.needs;
    expect(await selectWorkspace(db, id)).toMatchObject({
      dormant_at: null,
      autostart_schedule: null,
      next_start_at: null,
      ttl_ms: hourMs,
    });
    expect(await carryOutAt(Date.now())).toEqual(["2 start initiator"]);
    expect(await carryOutAt(Date.now() + 2 * hourMs)).toEqual(["3 stop autostop"]);
    await stage.carryOut();
    await setAutostart(stage.needs, ann, id, "0 9 * * *");
    expect(await carryOutAt(Date.now() + 24 * hourMs)).toEqual(["4 start autostart"]);
    await stage.carryOut();
    await setDormant(stage.needs, ann, id, true);
    expect(await carryOutAt(Date.now())).toEqual(["5 stop dormancy"]);
  });

  it("stays as evidence when its build failed, and goes with time, but for the newest", async () => {
    const { db } = stage.needs;
    const limits = { backoffMs: 0, lookbackMs: hourMs, failureHardLimit: 0 };
    await claim();
    for (let count = 0; count < 3; count += 1) {
      expect(await stage.look(limits)).toBe(1);
      await (await acquire(stage.needs))?.end("fail");
    }
    const countFailed = async (): Promise<number> => {
      const { rows } = await sql<{ readonly count: number }>`
        select count(*)::integer as count from workspaces w
          join workspace_builds b on b.workspace_id = w.id join jobs j on j.id = b.job_id
          where not w.deleted and b.transition = 'start' and j.error is not null`.execute(db);
      return rows[0]?.count ?? 0;
    };
    expect(await countFailed()).toBe(3);
    await stage.look(limits);
    await stage.carryOut();
    expect(await countFailed()).toBe(3);
    await sql`update workspace_builds b set created_at = b.created_at - interval '2 hours'
      from jobs j where j.id = b.job_id and j.error is not null`.execute(db);
    await stage.look(limits);
    await stage.carryOut();
    expect(await countFailed()).toBe(1);
  });
});

describe("a template's settings that change while a prebuild waits", () => {
  it("are not the prebuild's, and those of the claim's moment are its owner's", async () => {
    const { needs, admin, templateId } = stage;
    await changeTemplate(needs.db, admin, templateId, { default_ttl_ms: 5 * hourMs });
    await changeTemplate(needs.db, admin, templateId, { default_ttl_ms: 3 * hourMs });
    expect((await selectWorkspace(needs.db, prebuildId))?.ttl_ms).toBeNull();
    const before = Date.now();
    const workspace = await claim();
    expect(workspace).toMatchObject({ id: prebuildId, ttl_ms: 3 * hourMs });
    const deadline = Date.parse(workspace.latest_build.deadline ?? "");
    expect(deadline).toBeGreaterThanOrEqual(before + 3 * hourMs - 1_000);
    expect(deadline).toBeLessThanOrEqual(Date.now() + 3 * hourMs + 1_000);
  });

  it("give way to the owner's own", async () => {
    const { needs, admin, templateId } = stage;
    await changeTemplate(needs.db, admin, templateId, { default_ttl_ms: 5 * hourMs });
    expect(await claim({ ttlMs: hourMs })).toMatchObject({ id: prebuildId, ttl_ms: hourMs });
  });

  it("leave a claimed workspace as it is", async () => {
    const { needs, admin, templateId } = stage;
    const { id, latest_build: build } = await claim();
    await changeTemplate(needs.db, admin, templateId, { default_ttl_ms: 5 * hourMs });
    expect((await selectWorkspace(needs.db, id))?.ttl_ms).toBeNull();
    expect(build.deadline).toBeNull();
  });

  it("take its pool away, and give it another one, as the template is deprecated and not", async () => {
    const { needs, admin, templateId } = stage;
    const limits = { backoffMs: 0, lookbackMs: hourMs, failureHardLimit: 0 };
    const deprecate = (text: string) =>
      changeTemplate(needs.db, admin, templateId, { deprecation_message: text });
    await deprecate("use another");
    await expect(claim()).rejects.toMatchObject({ code: "invalid" });
    expect(await stage.look(limits)).toBe(1);
    await stage.carryOut();
    expect((await selectWorkspace(needs.db, prebuildId))?.deleted).toBe(true);
    expect(await stage.look(limits)).toBe(0);
    await deprecate("");
    expect(await stage.look(limits)).toBe(1);
  });
});
