import type { Workspace } from "@slipway/api/workspaces/workspace";
import { silentLogger } from "@slipway/runtime";
import {
  acquire,
  agentsOf,
  bringToLife,
  type ClaimStage,
  connect,
  fillPool,
  ManualDriver,
  report,
  type StageAgent,
} from "@slipway/testkit";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { restoreWorkspaces } from "../src/features/builds/restore.ts";
import { WorkspaceTurns } from "../src/features/builds/workspace-turns.ts";
import { markReinitSent } from "../src/features/claims/reinit/queries.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { openStage, viewOf } from "./support/claim-stage.ts";

let opened: AsyncDisposableStack;
let stage: ClaimStage;
let ann: UserCaller;
/** The main agent of the prebuild to be claimed. */
let main: StageAgent;

beforeEach(() => {
  opened = new AsyncDisposableStack();
});

afterEach(() => opened.disposeAsync());

/** Sets up a stage with one waiting prebuild, and Ann. */
async function begin(
  driver: "external" | "manual" | "process",
  options: { readonly onClaim?: string } = {},
): Promise<void> {
  stage = await openStage(inject("postgresUrl"), opened, driver, options);
  ann = await stage.addUser("ann");
  const [waiting = ""] = await fillPool(stage);
  const [first] = await agentsOf(stage.needs, waiting);
  if (first === undefined) throw new Error("the prebuild has no agent");
  main = first;
}

/** Claims for Ann, or as another caller. */
function claim(caller = ann, more: { readonly ttlMs?: number } = {}): Promise<Workspace> {
  const { presetId } = stage.version;
  return stage.create(caller, { name: "mine", presetId, owner: ann, ...more });
}

/** Acquires the pending job. */
async function takeJob(workerId?: string) {
  const work = await acquire(stage.needs, workerId);
  if (work === undefined) throw new Error("no job waits");
  return work;
}

function selectAgents(buildId: string) {
  return stage.needs.db
    .selectFrom("workspace_agents")
    .where("workspace_build_id", "=", buildId)
    .where("deleted", "=", false)
    .orderBy("name")
    .select(["id", "name", "took_over"])
    .execute();
}

function selectJob(buildId: string) {
  return stage.needs.db
    .selectFrom("workspace_builds as build")
    .innerJoin("jobs as job", "job.id", "build.job_id")
    .where("build.id", "=", buildId)
    .select([
      "job.worker_id",
      "job.only_worker_id",
      "job.canceled_at",
      "build.owner_id",
      "build.deadline",
    ])
    .executeTakeFirstOrThrow();
}

describe("the build of a claim", () => {
  it.each(["external", "manual"] as const)(
    "is for the new owner, whoever asked for it (driver %s)",
    async (driver) => {
      await begin(driver);
      const { latest_build: build } = await claim(stage.admin);
      await stage.carryOut();
      expect(build.initiator_id).toBe(stage.admin.id);
      expect(await selectJob(build.id)).toMatchObject({ owner_id: ann.id });
      expect(await viewOf(stage, main.token)).toMatchObject({
        standing: "claimed",
        ownerId: ann.id,
        isOwed: true,
      });
    },
  );

  it.each(["external", "manual"] as const)(
    "ends by itself after the time to live (driver %s)",
    async (driver) => {
      await begin(driver);
      const { latest_build: build } = await claim(ann, { ttlMs: 3_600_000 });
      await stage.carryOut();
      const { deadline } = await selectJob(build.id);
      const leftMs = Date.parse(deadline ?? "") - Date.now();
      expect(leftMs).toBeGreaterThan(3_500_000);
      expect(leftMs).toBeLessThanOrEqual(3_600_000);
    },
  );

  it("stays on the machine where the prebuild runs, and so do the builds after it", async () => {
    await begin("process");
    const { db } = stage.needs;
    const { worker_id: machine } = await db
      .selectFrom("jobs")
      .where("type", "=", "workspace_build")
      .select("worker_id")
      .executeTakeFirstOrThrow();
    expect(machine).not.toBeNull();
    const { id, latest_build: build } = await claim();
    expect(await selectJob(build.id)).toMatchObject({ worker_id: machine });
    const next = await stage.build(ann, id, "stop");
    expect(await selectJob(next)).toMatchObject({ only_worker_id: machine });
    expect(await acquire(stage.needs)).toBeUndefined();
    await (await takeJob(machine ?? "")).end("succeed");
  });

  it("hands over nothing when it was canceled before it began; the next start does", async () => {
    await begin("manual");
    const { id, latest_build: build } = await claim();
    await stage.cancel(ann, build.id);
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claiming", isOwed: false });
    const next = await stage.build(ann, id, "start");
    await stage.carryOut();
    expect(await selectAgents(next)).toMatchObject([{ took_over: true }, { took_over: true }]);
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claimed", isOwed: true });
  });

  it("hands over nothing when it failed; the next start does", async () => {
    await begin("manual");
    const { id } = await claim();
    await (await takeJob()).end("fail");
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claiming", isOwed: false });
    const next = await stage.build(ann, id, "start");
    await stage.carryOut();
    expect(await selectAgents(next)).toMatchObject([{ took_over: true }, { took_over: true }]);
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claimed", isOwed: true });
  });

  it("has succeeded when it was canceled too late", async () => {
    await begin("manual");
    const { latest_build: build } = await claim();
    const work = await takeJob();
    await stage.cancel(ann, build.id);
    await work.end("succeed");
    expect(await selectJob(build.id)).toMatchObject({ canceled_at: null });
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claimed", isOwed: true });
  });

  it("leaves nothing to take over once a stop has followed its failure", async () => {
    await begin("manual");
    const { id } = await claim();
    await (await takeJob()).end("fail");
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claiming" });
    await stage.build(ann, id, "stop");
    await stage.carryOut();
    expect(await viewOf(stage, main.token)).toEqual({ type: "gone" });
    const next = await stage.build(ann, id, "start");
    await stage.carryOut();
    expect(await selectAgents(next)).toMatchObject([{ took_over: false }, { took_over: false }]);
    expect(await viewOf(stage, main.token)).toEqual({ type: "gone" });
    const [fresh] = await agentsOf(stage.needs, id);
    expect(await viewOf(stage, fresh?.token ?? "")).toMatchObject({
      standing: "claimed",
      isOwed: false,
    });
  });

  it("starts other agents where the template wants a restart, also when it is tried again", async () => {
    await begin("process", { onClaim: "restart" });
    const { id, latest_build: build } = await claim();
    const { only_worker_id: machine } = await selectJob(build.id);
    expect(machine).not.toBeNull();
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claiming", isOwed: false });
    await (await takeJob(machine ?? "")).end("fail");
    expect(await selectAgents(build.id)).toEqual([]);
    const next = await stage.build(ann, id, "start");
    await (await takeJob(machine ?? "")).end("succeed");
    expect(await selectAgents(next)).toMatchObject([{ took_over: false }, { took_over: false }]);
    expect(await viewOf(stage, main.token)).toEqual({ type: "gone" });
    const [fresh] = await agentsOf(stage.needs, id);
    expect(fresh?.token).not.toBe(main.token);
    expect(await viewOf(stage, fresh?.token ?? "")).toMatchObject({ isOwed: false });
  });

  it("makes its agents once, though the job is begun twice", async () => {
    await begin("manual");
    const { id } = await stage.create(ann, { name: "plain" });
    const first = await takeJob();
    const agents = await agentsOf(stage.needs, id);
    expect(agents.map(({ name }) => name)).toEqual(["main", "second"]);
    await stage.needs.db
      .updateTable("jobs")
      .set({ lease_until: "2020-01-01T00:00:00Z" })
      .where("id", "=", first.job.id)
      .execute();
    const second = await takeJob();
    expect(second.job.id).toBe(first.job.id);
    expect(await second.end("succeed")).toBe(true);
    expect(await first.end("succeed")).toBe(false);
    expect(await agentsOf(stage.needs, id)).toEqual(agents);
  });

  it("gives the tokens of a prebuild that was restarted", async () => {
    // With this driver a restarted agent has a new token.
    await begin("manual");
    const { db } = stage.needs;
    const { id: prebuild } = await db
      .selectFrom("workspaces")
      .select("id")
      .executeTakeFirstOrThrow();
    for (const transition of ["stop", "start"] as const) {
      await stage.build(stage.admin, prebuild, transition);
      await stage.carryOut();
    }
    // Its previous agents were ready; the current ones are not.
    const { presetId } = stage.version;
    const early = await stage.create(ann, { name: "early", presetId });
    expect(early.id).not.toBe(prebuild);
    await bringToLife(stage.needs, prebuild);
    const [restarted] = await agentsOf(stage.needs, prebuild);
    const { id } = await claim();
    await stage.carryOut();
    expect(id).toBe(prebuild);
    expect(await viewOf(stage, main.token)).toEqual({ type: "gone" });
    expect(await viewOf(stage, restarted?.token ?? "")).toMatchObject({ isOwed: true });
  });
});

describe("an owed reinit", () => {
  it("ends with the process: a restored one has nobody's life before it", async () => {
    await begin("process");
    const { latest_build: build } = await claim();
    expect(await viewOf(stage, main.token)).toMatchObject({ isOwed: true });
    const { worker_id: machine } = await selectJob(build.id);
    const driver = new ManualDriver("process");
    driver.end("succeed");
    const { db, secrets } = stage.needs;
    const drivers = new Map([["process", driver]]);
    const needs = {
      db,
      secrets,
      drivers,
      accessUrl: "",
      unpackDir: "",
      turns: new WorkspaceTurns(),
    };
    const { signal } = new AbortController();
    const scope = { workerId: machine ?? "", drivers: ["process"], logger: silentLogger };
    expect(await restoreWorkspaces(needs, scope, signal)).toBe(1);
    expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claimed", isOwed: false });
  });

  it("is told once a minute, until the process ends its life or has begun the next", async () => {
    await begin("external");
    const { id } = await claim();
    const { db } = stage.needs;
    const [agent] = await agentsOf(stage.needs, id);
    const session = await connect(stage.needs, main.token);
    if (agent === undefined || session === undefined) throw new Error("the agent is not let in");
    const letMinutePass = () =>
      db
        .updateTable("workspace_agents")
        .set({ reinit_sent_at: new Date(Date.now() - 61_000).toISOString() })
        .where("id", "=", agent.id)
        .execute();
    const mark = () => markReinitSent(db, agent.id);
    expect([await mark(), await mark()]).toEqual([true, false]);
    await letMinutePass();
    expect([await mark(), await mark()]).toEqual([true, false]);
    await report(stage.needs, session, "shutting_down");
    await letMinutePass();
    expect(await mark()).toBe(false);
  });

  it("is not told to a process that has begun its new life, nor to one that took over nothing", async () => {
    await begin("external");
    const { id } = await claim();
    const { db } = stage.needs;
    const [agent] = await agentsOf(stage.needs, id);
    const session = await connect(stage.needs, main.token);
    if (agent === undefined || session === undefined) throw new Error("the agent is not let in");
    await report(stage.needs, session, "starting");
    expect(await markReinitSent(db, agent.id)).toBe(false);
    await stage.build(ann, id, "start");
    await stage.carryOut();
    const [fresh] = await agentsOf(stage.needs, id);
    expect(fresh?.id).not.toBe(agent.id);
    expect(await markReinitSent(db, fresh?.id ?? "")).toBe(false);
  });
});
