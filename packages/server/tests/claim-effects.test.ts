import {
  ClaimStage,
  fillPool,
  ManualDriver,
  openTestDatabase,
  type TestDatabase,
} from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { createWorkspace, type CreateNeeds } from "../src/features/claims/create.ts";
import type { NewWorkspace } from "../src/features/claims/new-workspace.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { hearHints } from "./support/hear-hints.ts";

/* The side effects of a claim beside the change of owner. */

let opened: AsyncDisposableStack;
let database: TestDatabase;
let stage: ClaimStage;
let ann: UserCaller;
let prebuildId: string;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  stage = await ClaimStage.open(database.db, {
    driver: "external",
    agentNames: ["main"],
    pool: { instances: 1, expireAfterSeconds: 0 },
  });
  ann = await stage.addUser("ann");
  [prebuildId = ""] = await fillPool(stage);
});

afterEach(() => opened.disposeAsync());

const unmeasured = { observe: () => undefined };

/** Requests a workspace of the pool for Ann, with other needs or settings. */
async function create(
  needs: Partial<CreateNeeds> = {},
  input: Partial<NewWorkspace> = {},
): Promise<string> {
  const all = { ...stage.needs, claimSeconds: unmeasured, ...needs };
  const { id } = await createWorkspace(all, ann, {
    ownerId: ann.id,
    name: "mine",
    templateId: stage.templateId,
    versionId: undefined,
    presetId: stage.version.presetId,
    parameters: [],
    transition: "start",
    requiresPrebuild: false,
    settings: {
      automaticUpdates: "never",
      autostart: undefined,
      ttlMs: undefined,
      onDeadline: "stop",
    },
    ...input,
  });
  return id;
}

function readWorkspace() {
  return stage.needs.db
    .selectFrom("workspaces")
    .where("id", "=", prebuildId)
    .selectAll()
    .executeTakeFirstOrThrow();
}

it("begins the use of a workspace, with the schedule that its owner chose", async () => {
  const { db } = stage.needs;
  const old = "2020-01-01T00:00:00Z";
  await db
    .updateTable("workspaces")
    .set({ last_used_at: old, updated_at: old, dormant_at: old })
    .where("id", "=", prebuildId)
    .execute();
  const nextAt = "2030-01-02T07:00:00Z";
  const schedule = "CRON_TZ=Europe/Berlin 0 8 * * 1-5";
  const autostart = { schedule, nextAt };
  const settings = {
    automaticUpdates: "always",
    autostart,
    ttlMs: 3_600_000,
    onDeadline: "delete",
  } as const;
  expect(await create({}, { settings })).toBe(prebuildId);
  const row = await readWorkspace();
  expect(row).toMatchObject({
    automatic_updates: "always",
    autostart_schedule: schedule,
    next_start_at: nextAt,
    ttl_ms: 3_600_000,
    on_deadline: "delete",
    dormant_at: null,
    prebuild_preset_id: null,
  });
  const now = await sql<{ readonly now: string }>`select now() as now`.execute(db);
  for (const at of [row.last_used_at, row.updated_at]) {
    expect(Date.parse(now.rows[0]?.now ?? "") - Date.parse(at ?? "")).toBeLessThan(60_000);
  }
});

it("leaves the prebuild to others if the workspace is created stopped", async () => {
  expect(await create({}, { transition: "stop" })).not.toBe(prebuildId);
  expect(await create({}, { name: "second" })).toBe(prebuildId);
});

it("is in the audit trail as the creation of a workspace, once", async () => {
  await create();
  const build = await stage.needs.db
    .selectFrom("workspace_builds")
    .where("workspace_id", "=", prebuildId)
    .where("build_number", "=", 2)
    .select("id")
    .executeTakeFirstOrThrow();
  const entries = await stage.needs.db
    .selectFrom("audit_log")
    .where("resource_id", "=", prebuildId)
    .where("user_id", "=", ann.id)
    .selectAll()
    .execute();
  expect(entries).toMatchObject([
    {
      action: "create",
      resource_type: "workspace",
      resource_target: "mine",
      organization_id: stage.organizationId,
      additional_fields: { claimed_by_build: build.id },
    },
  ]);
});

it("hints with its commit at watchers, agents and pools of every replica", async () => {
  const { db, url: postgresUrl } = database;
  const wanted = [
    topics.claim(prebuildId),
    topics.builds(prebuildId),
    topics.workspace(prebuildId),
    topics.workspaces(ann.id),
    topics.prebuilds(stage.version.presetId),
  ];
  const heard = await hearHints(opened, { db, postgresUrl }, wanted);
  await create();
  await expect.poll(heard).toEqual(wanted.map(() => true));
});

it("tells its own replica of the claim without the way through the database", async () => {
  const told: string[] = [];
  await create({ localHints: { hintHere: (topic) => void told.push(topic) } });
  expect(told).toEqual([topics.claim(prebuildId)]);
});

it("gives away nothing of a driver that is disabled now, and leaves the prebuild where it is", async () => {
  const driver = Object.assign(new ManualDriver("external"), { refusal: "is disabled here" });
  await expect(create({ drivers: new Map([["external", driver]]) })).rejects.toMatchObject({
    code: "invalid",
  });
  expect(await readWorkspace()).toMatchObject({ prebuild_preset_id: stage.version.presetId });
  expect(await create()).toBe(prebuildId);
});

it("needs no room for a build, which an ordinary workspace does", async () => {
  const limits = { ...stage.needs.limits, maxPendingBuildsPerUser: 0 };
  expect(await create({ limits })).toBe(prebuildId);
  await expect(create({ limits }, { name: "another" })).rejects.toMatchObject({
    code: "too-many-at-once",
  });
});
