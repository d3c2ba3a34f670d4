import { silentLogger } from "@slipway/runtime";
import { ClaimStage, fillPool, openTestDatabase } from "@slipway/testkit";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { cancelBuild } from "../src/features/builds/cancel-service.ts";
import { requireBuild } from "../src/features/builds/read-service.ts";
import { changeNotificationsSettings } from "../src/features/notifications/settings-service.ts";
import { createKey, deleteKey } from "../src/features/provisioners/key-service.ts";
import { applySchedules } from "../src/features/schedules/scheduler.ts";
import { changeTemplate } from "../src/features/templates/change-service.ts";
import { cancelTemplateJob } from "../src/features/templates/dry-run-service.ts";
import { tellWaitingProgram } from "../src/features/users/device-lookup.ts";
import { setDormant } from "../src/features/workspaces/dormancy-service.ts";
import {
  extendWorkspace,
  noteUsage,
  renameWorkspace,
  setFavorite,
  setTtl,
} from "../src/features/workspaces/settings-service.ts";
import { type PubSub, topics } from "../src/platform/pubsub/pubsub.ts";
import { type CountedDatabase, countCommits } from "./support/count-commits.ts";

/* The topics at which changes hint, whose readers would otherwise notice only with their next periodic look. */

const dayMs = 24 * 3_600_000;
/** Failures do not cause backoff. */
const limits = { backoffMs: 0, lookbackMs: 3_600_000, failureHardLimit: 0 };

let opened: AsyncDisposableStack;
let stage: ClaimStage;
let ann: Awaited<ReturnType<ClaimStage["addUser"]>>;
let counted: CountedDatabase;
let published: { readonly topic: string; readonly commits: number }[];
const pubsub: PubSub = {
  subscribe: () => ({ [Symbol.dispose]: () => undefined }),
  publish: (topic) => void published.push({ topic, commits: counted.count }),
};

beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

async function openStage(driver: "external" | "manual"): Promise<void> {
  const { db } = opened.use(await openTestDatabase(inject("postgresUrl")));
  const pool = { instances: 1, expireAfterSeconds: 0 };
  published = [];
  counted = countCommits(db);
  stage = await ClaimStage.open(counted.db, { driver, agentNames: ["main"], pool, pubsub });
  ann = await stage.addUser("ann");
}

/** Resolves to the topics at which a change hints, once it is committed: readers would not see it before. */
async function hintsOf(change: () => Promise<unknown>): Promise<readonly string[]> {
  published = [];
  await change();
  expect(published).toEqual(published.map(({ topic }) => ({ topic, commits: counted.count })));
  return published.map(({ topic }) => topic);
}

const in2Hours = (): string => new Date(Date.now() + 7_200_000).toISOString();

/** Creates a workspace whose build is carried out. */
async function makeWorkspace(): Promise<string> {
  const { id } = await stage.create(ann, { name: "dev", ttlMs: 3_600_000 });
  await stage.carryOut();
  return id;
}

describe("a workspace", () => {
  beforeEach(() => openStage("external"));

  it("that is new is told to workers, and to watchers of it and of its owner's workspaces", async () => {
    let id = "";
    const hints = await hintsOf(async () => {
      ({ id } = await stage.create(ann, { name: "dev" }));
    });
    expect(hints).toEqual([topics.jobQueue, topics.workspaces(ann.id), topics.workspace(id)]);
  });

  it("that is built is told to workers, watchers and agents", async () => {
    const id = await makeWorkspace();
    expect(await hintsOf(() => stage.build(ann, id, "stop"))).toEqual([
      topics.jobQueue,
      topics.builds(id),
      topics.workspace(id),
    ]);
  });

  it.each<[string, (id: string) => Promise<unknown>]>([
    ["is renamed", (id) => renameWorkspace(stage.needs, ann, id, "other")],
    ["is a favorite", (id) => setFavorite(stage.needs, ann, id, true)],
    ["lives longer", (id) => setTtl(stage.needs, ann, id, 7_200_000)],
    ["stops later", (id) => extendWorkspace(stage.needs, ann, id, in2Hours())],
    ["is used", (id) => noteUsage(stage.needs, ann, id)],
    ["is dormant", (id) => setDormant(stage.needs, ann, id, true)],
  ])("that %s is told to its watchers", async (_what, change) => {
    const id = await makeWorkspace();
    expect(await hintsOf(() => change(id))).toEqual([topics.workspace(id)]);
  });

  it("that somebody else makes dormant is told to its owner's notifications", async () => {
    const id = await makeWorkspace();
    const { needs, admin } = stage;
    expect(await hintsOf(() => setDormant(needs, admin, id, true))).toEqual([
      topics.workspace(id),
      topics.inbox(ann.id),
    ]);
  });

  it("whose build is canceled is told to the worker and to watchers", async () => {
    const id = await makeWorkspace();
    await stage.build(ann, id, "stop");
    const { needs } = stage;
    const { id: buildId, job_id: jobId } = await needs.db
      .selectFrom("workspace_builds")
      .where("transition", "=", "stop")
      .select(["id", "job_id"])
      .executeTakeFirstOrThrow();
    const build = await requireBuild(needs.db, ann, buildId);
    expect(await hintsOf(() => cancelBuild(needs, ann, build, undefined))).toEqual([
      topics.jobCancel(jobId),
      topics.job(jobId),
      topics.builds(id),
      topics.workspace(id),
    ]);
  });
});

describe("a claim that a job carries out", () => {
  beforeEach(async () => {
    await openStage("manual");
    await fillPool(stage);
  });
  const wanted = () => ({ name: "mine", presetId: stage.version.presetId });

  // Its commit hints at everything else.
  it("is told to workers", async () => {
    expect(await hintsOf(() => stage.create(ann, wanted()))).toEqual([topics.jobQueue]);
  });

  it("is told to workers when several requests share a transaction", async () => {
    const requests = [{ caller: ann, wanted: wanted() }];
    expect(await hintsOf(() => stage.claimTogether(requests))).toEqual([topics.jobQueue]);
  });
});

it("a look at the pools tells workers what it queued, and itself when there is more to do", async () => {
  await openStage("external");
  expect(await hintsOf(() => stage.look(limits))).toEqual([topics.jobQueue]);
  expect(await hintsOf(() => stage.look(limits))).toEqual([]);
  const instances = { desired_instances: 102 };
  await stage.needs.db.updateTable("template_version_presets").set(instances).execute();
  const more = topics.prebuilds(stage.version.presetId);
  expect(await hintsOf(() => stage.look(limits))).toEqual([topics.jobQueue, more]);
});

describe("a schedule", () => {
  beforeEach(() => openStage("external"));

  const apply = (now: number) =>
    applySchedules({ ...stage.needs, logger: silentLogger }, now, new AbortController().signal);

  it("tells workers, watchers and agents of what it builds", async () => {
    const id = await makeWorkspace();
    expect(await hintsOf(() => apply(Date.now() + dayMs))).toEqual([
      topics.jobQueue,
      topics.builds(id),
      topics.workspace(id),
    ]);
  });

  it("tells watchers, and the owner's notifications, of a workspace that it makes dormant", async () => {
    const id = await makeWorkspace();
    await stage.build(ann, id, "stop");
    await stage.carryOut();
    const { db } = stage.needs;
    await changeTemplate(db, stage.admin, stage.templateId, { time_til_dormant_ms: dayMs });
    expect(await hintsOf(() => apply(Date.now() + 2 * dayMs))).toEqual([
      topics.workspace(id),
      topics.inbox(ann.id),
    ]);
  });

  it("tells watchers of the time at which a workspace has to stop", async () => {
    const id = await makeWorkspace();
    await changeTemplate(stage.needs.db, stage.admin, stage.templateId, {
      autostop_requirement: { days_of_week: ["monday"], weeks: 16 },
    });
    expect(await hintsOf(() => apply(Date.now()))).toEqual([topics.workspace(id)]);
  });
});

describe("what waits", () => {
  beforeEach(() => openStage("external"));

  it("is told to workers when it is a version to import, and to its worker when that is canceled", async () => {
    const { db } = stage.needs;
    published = [];
    await stage.pushVersion();
    expect(published.map(({ topic }) => topic)).toContain(topics.jobQueue);
    const { id } = await db
      .updateTable("jobs")
      .set({ completed_at: null })
      .where("type", "=", "template_version_import")
      .returning("id")
      .executeTakeFirstOrThrow();
    expect(await hintsOf(() => cancelTemplateJob(db, pubsub, id))).toEqual([
      topics.jobCancel(id),
      topics.job(id),
    ]);
  });

  it("is told to all users when their notifications are delivered again", async () => {
    const pause = (notifier_paused: boolean) =>
      changeNotificationsSettings(stage.needs, stage.admin, { notifier_paused });
    expect(await hintsOf(() => pause(true))).toEqual([]);
    expect(await hintsOf(() => pause(false))).toEqual([topics.inboxes]);
    expect(await hintsOf(() => pause(false))).toEqual([]);
  });

  it("is told to the user who looks at the code of a program that has come", async () => {
    const { db } = stage.needs;
    const codeHash = Buffer.from("hash");
    await db
      .insertInto("device_lookups")
      .values({ user_id: ann.id, code_hash: codeHash })
      .execute();
    const origin = { ip: "192.0.2.1", userAgent: "a program" };
    const come = () => tellWaitingProgram(stage.needs, codeHash, origin, new Date());
    expect(await hintsOf(come)).toEqual([topics.deviceLookup(ann.id)]);
    expect(await hintsOf(come)).toEqual([]);
  });

  it("is told to provisioners when their key is deleted", async () => {
    const { needs, admin, organizationId } = stage;
    await createKey(needs, admin, { organizationId, name: "far", tags: {} });
    const { id } = await needs.db
      .selectFrom("provisioner_keys")
      .select("id")
      .executeTakeFirstOrThrow();
    const deleted = { organizationId, reference: "far" };
    expect(await hintsOf(() => deleteKey(needs, admin, deleted))).toEqual([
      topics.provisionerKey(id),
    ]);
  });
});
