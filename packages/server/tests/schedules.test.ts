import { randomUUID } from "node:crypto";

import {
  createBuild,
  createWorkspace,
  getWorkspace,
  updateAutostart,
  type Workspace,
} from "@slipway/api";
import { silentLogger, systemClock } from "@slipway/runtime";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { applySchedules, type SchedulerNeeds } from "../src/features/schedules/scheduler.ts";
import { defaultLimits } from "../src/platform/config/limits.ts";
import { connectionOptions } from "../src/platform/db/database.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
const { signal } = new AbortController();
let server: OpenServer;
let needs: SchedulerNeeds;
let templateId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const pubsub = opened.use(
    new PostgresPubSub({
      db: server.db,
      connection: connectionOptions({ url: server.postgresUrl }),
      replicaId: randomUUID(),
      clock: systemClock,
      logger: silentLogger,
    }),
  );
  needs = {
    db: server.db,
    pubsub,
    clock: systemClock,
    logger: silentLogger,
    limits: defaultLimits,
  };
  templateId = await pushTemplate(server.admin, "outside", template);
});
afterAll(() => opened.disposeAsync());

async function make(name: string, more: object): Promise<Workspace> {
  const { id } = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId, ...more },
  });
  return waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "running");
}

function read({ id }: Workspace): Promise<Workspace> {
  return server.admin.call(getWorkspace, { params: { workspace: id } });
}

function settled({ id }: Workspace, number: number): Promise<Workspace> {
  return waitForWorkspace(
    server.admin,
    id,
    ({ latest_build }) =>
      latest_build.build_number === number && latest_build.job.status === "succeeded",
  );
}

describe("a workspace with a time to live and a schedule", () => {
  it("is stopped at its deadline and started at its time, each once, whoever looks", async () => {
    const workspace = await make("clockwork", { ttl_ms: 29 * 86_400_000 });
    // Times in the database are finer than milliseconds.
    const deadline = Date.parse(workspace.latest_build.deadline ?? "") + 1;
    expect(await applySchedules(needs, deadline - 1_000, signal)).toBe(0);
    const both = [deadline, deadline].map((now) => applySchedules(needs, now, signal));
    const [first = 0, second = 0] = await Promise.all(both);
    expect(first + second).toBe(1);
    const stopped = await settled(workspace, 2);
    expect(stopped.latest_build).toMatchObject({
      transition: "stop",
      reason: "autostop",
      initiator_name: "admin",
      deadline: null,
    });
    await server.admin.call(updateAutostart, {
      params: { workspace: workspace.id },
      body: { schedule: "CRON_TZ=Europe/Berlin 30 9 * * *" },
    });
    // A week of mornings was missed.
    const nextStart = Date.parse((await read(workspace)).next_start_at ?? "");
    const late = nextStart + 7 * 86_400_000 + 1_000;
    expect(await applySchedules(needs, late, signal)).toBe(1);
    const started = await settled(workspace, 3);
    expect(started.latest_build).toMatchObject({ transition: "start", reason: "autostart" });
    expect(started.latest_build.deadline).not.toBeNull();
    expect(Date.parse(started.next_start_at ?? "")).toBeGreaterThan(late);
    expect(await applySchedules(needs, late, signal)).toBe(0);
  });

  it("passes over its time while it runs", async () => {
    const workspace = await make("busy", { autostart_schedule: "0 9 * * *" });
    const next = Date.parse(workspace.next_start_at ?? "");
    await applySchedules(needs, next, signal);
    const found = await read(workspace);
    expect(Date.parse(found.next_start_at ?? "")).toBe(next + 86_400_000);
    expect(found.latest_build.build_number).toBe(1);
  });

  it("passes over its time while its owner runs as many as they may", async () => {
    const workspace = await make("limited", { autostart_schedule: "0 9 * * *" });
    await server.admin.call(createBuild, {
      params: { workspace: workspace.id },
      body: { transition: "stop" },
    });
    await settled(workspace, 2);
    const next = Date.parse((await read(workspace)).next_start_at ?? "");
    const limits = { ...defaultLimits, maxRunningWorkspacesPerUser: 0 };
    expect(await applySchedules({ ...needs, limits }, next, signal)).toBe(0);
    const found = await read(workspace);
    expect(Date.parse(found.next_start_at ?? "")).toBe(next + 86_400_000);
    expect(found.latest_build.build_number).toBe(2);
  });

  it("is stopped by the running server itself", async () => {
    const workspace = await make("real", { ttl_ms: 60_000 });
    await sql`update workspace_builds set deadline = now()
      where workspace_id = ${workspace.id}`.execute(server.db);
    const stopped = await settled(workspace, 2);
    expect(stopped.latest_build).toMatchObject({ status: "stopped", reason: "autostop" });
  });
});
