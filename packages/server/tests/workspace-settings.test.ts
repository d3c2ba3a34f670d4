import { randomUUID } from "node:crypto";

import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { firstAgent, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";

const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      prepare: { display_name: Prepare, run_on: [start], run: echo hello }
      linger: { display_name: Linger, run_on: [stop], run: sleep 8 }
`;

let server: OpenServer;
let templateId = "";
let workspace: Workspace;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  templateId = await pushTemplate(server.admin, "small", template);
  workspace = await make("dev", { ttl_ms: 3_600_000 });
});
afterAll(() => server[Symbol.asyncDispose]());

async function make(name: string, more: object = {}): Promise<Workspace> {
  const { id } = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId, ...more },
  });
  return waitForWorkspace(server.admin, id, (one) => firstAgent(one)?.lifecycle_state === "ready");
}

function read(): Promise<Workspace> {
  return server.admin.call(getWorkspace, { params: { workspace: workspace.id } });
}

function on(method: string, path: string, body?: unknown): Promise<Answer> {
  return server.request(method, `/workspaces/${workspace.id}${path}`, body);
}

function refused(field: string, detail: string): object {
  return {
    status: 400,
    body: { validations: [{ field, detail: expect.stringContaining(detail) }] },
  };
}

describe("the settings of a workspace", () => {
  it("has another name once it is renamed, unless that is taken or no name", async () => {
    await make("other");
    expect(await on("PATCH", "", { name: "Other" })).toMatchObject({
      status: 409,
      body: { validations: [{ field: "name" }] },
    });
    expect(await on("PATCH", "", { name: "a b" })).toMatchObject(refused("name", "letters"));
    expect(await on("PATCH", "", { name: "renamed" })).toMatchObject({ status: 204, body: "" });
    expect(await read()).toMatchObject({ name: "renamed", allow_renames: true });
    expect(await on("PATCH", "", { name: "dev" })).toMatchObject({ status: 204 });
  });

  it("is a favorite until it is none", async () => {
    expect(await on("PUT", "/favorite")).toMatchObject({ status: 204 });
    expect(await read()).toMatchObject({ favorite: true });
    expect(await on("DELETE", "/favorite")).toMatchObject({ status: 204 });
    expect(await read()).toMatchObject({ favorite: false });
  });

  it("updates itself or does not", async () => {
    expect(await on("PUT", "/autoupdates", { automatic_updates: "always" })).toMatchObject({
      status: 204,
    });
    expect(await read()).toMatchObject({ automatic_updates: "always" });
    expect(await on("GET", "/resolve-autostart")).toMatchObject({
      status: 200,
      body: { parameter_mismatch: false },
    });
    const wrong = await on("PUT", "/autoupdates", { automatic_updates: "often" });
    expect(wrong).toMatchObject(refused("automatic_updates", "always, never"));
  });

  it("starts by itself when its schedule says so", async () => {
    const schedule = "CRON_TZ=Europe/Berlin 30 9 * * 1-5";
    expect(await on("PUT", "/autostart", { schedule })).toMatchObject({ status: 204 });
    const found = await read();
    expect(found.autostart_schedule).toBe(schedule);
    expect(new Date(found.next_start_at ?? 0).getUTCMinutes()).toBe(30);
    const wrong = await on("PUT", "/autostart", { schedule: "30 9 1 * *" });
    expect(wrong).toMatchObject(refused("schedule", "weekly"));
    expect(await on("PUT", "/autostart", {})).toMatchObject({ status: 204 });
    expect(await read()).toMatchObject({ autostart_schedule: null, next_start_at: null });
  });

  it("has a deadline from its time to live, which can be moved", async () => {
    const { latest_build: build } = await read();
    const finishedMs = Date.parse(build.job.completed_at ?? "");
    expect(Date.parse(build.deadline ?? "") - finishedMs).toBe(3_600_000);
    const deadline = new Date(Date.now() + 7_200_000).toISOString();
    expect(await on("PUT", "/extend", { deadline })).toMatchObject({ status: 200 });
    expect(Date.parse((await read()).latest_build.deadline ?? "")).toBe(Date.parse(deadline));
    expect(await on("PUT", "/extend", { deadline })).toMatchObject({ status: 304 });
    const past = await on("PUT", "/extend", { deadline: "2020-01-01T00:00:00Z" });
    expect(past).toMatchObject(refused("deadline", "in the future"));
    const far = new Date(Date.now() + 31 * 86_400_000).toISOString();
    expect(await on("PUT", "/extend", { deadline: far })).toMatchObject(
      refused("deadline", "at most"),
    );
  });

  it("moves its deadline on when it is used, and never back", async () => {
    await sql`update workspace_builds set deadline = now() + interval '5 minutes'
      where workspace_id = ${workspace.id}`.execute(server.db);
    const before = Date.now();
    expect(await on("POST", "/usage", {})).toMatchObject({ status: 204 });
    const used = await read();
    expect(Date.parse(used.last_used_at)).toBeGreaterThan(before - 5_000);
    const deadlineMs = Date.parse(used.latest_build.deadline ?? "");
    expect(Math.abs(deadlineMs - before - 3_600_000)).toBeLessThan(60_000);
    const later = new Date(Date.now() + 7_200_000).toISOString();
    await on("PUT", "/extend", { deadline: later });
    await on("POST", "/usage");
    expect(Date.parse((await read()).latest_build.deadline ?? "")).toBe(Date.parse(later));
  });

  it("runs until it is stopped once its time to live is taken back", async () => {
    const short = await on("PUT", "/ttl", { ttl_ms: 59_999 });
    expect(short).toMatchObject(refused("ttl_ms", "60000 (1 minute)"));
    expect(await on("PUT", "/ttl", { ttl_ms: 3_000_000_000 })).toMatchObject({ status: 400 });
    expect(await on("PUT", "/ttl", { ttl_ms: null })).toMatchObject({ status: 204 });
    expect(await read()).toMatchObject({ ttl_ms: null, latest_build: { deadline: null } });
    const deadline = new Date(Date.now() + 7_200_000).toISOString();
    expect(await on("PUT", "/extend", { deadline })).toMatchObject({
      status: 409,
      body: { message: "Workspace shutdown is manual." },
    });
  });

  it("answers of a workspace that is not there as of anything else", async () => {
    const path = `/workspaces/${randomUUID()}`;
    expect(await server.request("PUT", `${path}/favorite`)).toMatchObject({ status: 404 });
    expect(await server.request("PATCH", path, { name: "x" })).toMatchObject({ status: 404 });
    expect(await server.request("GET", `${path}/timings`)).toMatchObject({ status: 404 });
  });
});

describe("a build", () => {
  it("tells how long its parts took, and has no provisioner's state", async () => {
    const { id } = (await read()).latest_build;
    const timings = await server.request("GET", `/workspacebuilds/${id}/timings`);
    expect(timings).toMatchObject({
      status: 200,
      body: {
        provisioner_timings: [{ stage: "apply", action: "start", resource: "dev" }],
        agent_script_timings: [{ display_name: "Prepare", exit_code: 0, stage: "start" }],
        agent_connection_timings: [{ stage: "connect", workspace_agent_name: "main" }],
      },
    });
    expect((await on("GET", "/timings")).body).toEqual(timings.body);
    expect(await server.request("GET", `/workspacebuilds/${id}/state`)).toEqual({
      status: 200,
      type: "application/json",
      body: "",
    });
  });

  it("is broken off when it is canceled", async () => {
    const { id } = (await read()).latest_build;
    expect(await server.request("PATCH", `/workspacebuilds/${id}/cancel`)).toMatchObject({
      status: 400,
      body: { message: "Job has already completed!" },
    });
    const stop = await server.admin.call(createBuild, {
      params: { workspace: workspace.id },
      body: { transition: "stop" },
    });
    await waitForWorkspace(
      server.admin,
      workspace.id,
      (one) => firstAgent(one)?.lifecycle_state === "shutting_down" || isStopping(one),
    );
    const cancel = `/workspacebuilds/${stop.id}/cancel`;
    expect(await server.request("PATCH", `${cancel}?expect_status=pending`)).toMatchObject({
      status: 412,
    });
    expect(await server.request("PATCH", `${cancel}?expect_status=gone`)).toMatchObject(
      refused("expect_status", "pending or running"),
    );
    const before = performance.now();
    expect(await server.request("PATCH", cancel)).toMatchObject({ status: 200 });
    const canceled = await waitForWorkspace(
      server.admin,
      workspace.id,
      (one) => one.latest_build.status === "canceled",
    );
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(canceled.latest_build.job).toMatchObject({ status: "canceled", error: "canceled" });
    expect(canceled.latest_build.job.canceled_at).toBeDefined();
  });
});

function isStopping({ latest_build }: Workspace): boolean {
  return latest_build.status === "stopping";
}

describe("a dormant workspace", () => {
  it("does not start before it is woken up", async () => {
    expect(await on("PUT", "/dormant", { dormant: true })).toMatchObject({
      status: 200,
      body: { dormant_at: expect.any(String) },
    });
    expect(await on("PUT", "/dormant", { dormant: true })).toMatchObject({ status: 304 });
    expect(await on("POST", "/builds", { transition: "start" })).toMatchObject({ status: 409 });
    expect(await on("PUT", "/dormant", { dormant: false })).toMatchObject({
      status: 200,
      body: { dormant_at: null },
    });
  });
});

it("refuses changes of what is deleted", async () => {
  await on("POST", "/builds", { transition: "delete" });
  const path = `/workspaces/${workspace.id}?include_deleted=true`;
  await expect
    .poll(async () => (await server.request("GET", path)).body, { timeout: 50_000 })
    .toMatchObject({ latest_build: { status: "deleted" } });
  expect(await on("PUT", "/favorite")).toMatchObject({ status: 410 });
});
