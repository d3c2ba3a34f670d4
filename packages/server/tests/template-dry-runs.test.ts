import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { fieldOf, TemplateWorld } from "./support/template-world.ts";

/* Dry runs of a version with values, before a workspace exists. */

let world: TemplateWorld;

beforeAll(async () => {
  world = await TemplateWorld.open();
});

afterAll(() => world[Symbol.asyncDispose]());

async function dryRun(
  body: object,
  client?: OpenServer["admin"],
): Promise<{ job: string; path: string }> {
  const created = await world.post(`/templateversions/${world.first.id}/dry-run`, body, client);
  expect(created).toMatchObject({
    status: 201,
    body: {
      type: "template_version_dry_run",
      input: { template_version_id: world.first.id },
      file_id: world.first.job.file_id,
    },
  });
  const job = fieldOf(created.body, "id");
  return { job, path: `/templateversions/${world.first.id}/dry-run/${job}` };
}

async function countDryRuns(): Promise<number> {
  const rows = await world.server.db
    .selectFrom("template_version_dry_runs")
    .select("job_id")
    .execute();
  return rows.length;
}

describe("a dry run", () => {
  it("plans the workspace with the values given, and makes nothing", async () => {
    const { path } = await dryRun({
      workspace_name: "new1",
      rich_parameter_values: [{ name: "greeting", value: "moin" }],
    });
    const log = world.follow(`${path}/logs?follow`);
    expect(await log.ended).toEqual({ code: 1000, reason: "done" });
    expect(log.messages).toMatchObject([
      { stage: "Setting up", output: "" },
      { stage: "Planning the workspace", output: "" },
      { stage: "Cleaning up", output: "" },
    ]);
    expect(await world.get(path)).toMatchObject({ status: 200, body: { status: "succeeded" } });
    expect(await world.get(`${path}/resources`)).toMatchObject({
      status: 200,
      body: [
        {
          workspace_transition: "start",
          name: "main",
          daily_cost: 0,
          agents: [
            {
              name: "main",
              status: "connecting",
              lifecycle_state: "created",
              directory: "/tmp",
              environment_variables: { GREETING: "moin", BOX: "new1" },
              health: { healthy: false, reason: "agent has not yet connected" },
              scripts: [{ display_name: "hello", log_path: "hello.log", run_on_start: true }],
              log_sources: [{ display_name: "hello" }],
              apps: [{ slug: "docs", health: "disabled" }],
            },
          ],
        },
      ],
    });
    expect(await world.get(`${path}/matched-provisioners`)).toMatchObject({
      status: 200,
      body: { count: 1, available: 1 },
    });
    expect(await world.patch(`${path}/cancel`)).toMatchObject({
      status: 400,
      body: { message: "Job has already completed!" },
    });
    expect(await world.get("/workspaces")).toMatchObject({ body: { count: 0 } });
  });

  it("is refused with the parameters that do not fit, and takes null for none", async () => {
    const rich_parameter_values = [
      { name: "cores", value: "99" },
      { name: "colour", value: "red" },
    ];
    const before = await countDryRuns();
    expect(
      await world.post(`/templateversions/${world.first.id}/dry-run`, { rich_parameter_values }),
    ).toMatchObject({
      status: 400,
      body: {
        validations: expect.arrayContaining([
          { field: "colour", detail: expect.stringContaining("unknown parameter") },
          { field: "cores", detail: "found 99, wanted at most 8" },
        ]) as unknown,
      },
    });
    expect(await countDryRuns()).toBe(before);
    const none = await dryRun({ rich_parameter_values: null });
    await world.follow(`${none.path}/logs?follow`).ended;
    expect(await world.get(none.path)).toMatchObject({ body: { status: "succeeded" } });
  });

  it("is kept until twenty newer ones of its user have ended", async () => {
    const { client } = await addPerson(world.server, "trier");
    const oldest = await dryRun({}, client);
    await world.follow(`${oldest.path}/logs?follow`).ended;
    for (let count = 0; count < 20; count += 1) {
      expect(await world.get(oldest.path, client)).toMatchObject({ status: 200 });
      const { path } = await dryRun({}, client);
      await world.follow(`${path}/logs?follow`).ended;
    }
    expect(await world.get(oldest.path, client)).toMatchObject({ status: 404 });
  });

  it("belongs to who began it, and to its version", async () => {
    const own = await dryRun({}, world.member);
    expect(await world.get(own.path, world.member)).toMatchObject({ status: 200 });
    const admins = await dryRun({});
    expect(await world.get(admins.path, world.member)).toMatchObject({ status: 404 });
    const other = `/templateversions/${world.templateId}/dry-run/${admins.job}`;
    expect(await world.get(other)).toMatchObject({ status: 404 });
  });
});

describe("the parameters of a version", () => {
  const path = (): string => `/templateversions/${world.first.id}/dynamic-parameters`;

  it("are evaluated with inputs, also for members", async () => {
    const body = { id: 3, inputs: { cores: "0" }, owner_id: world.templateId };
    expect(await world.post(`${path()}/evaluate`, body, world.member)).toMatchObject({
      status: 200,
      body: {
        id: 3,
        diagnostics: [],
        parameters: [
          { name: "greeting", value: { value: "hello", valid: true }, diagnostics: [] },
          { name: "cores", diagnostics: [{ severity: "error" }] },
        ],
      },
    });
    expect(await world.post(`${path()}/evaluate`, { id: 0, inputs: { a: 1 } })).toMatchObject({
      status: 400,
      body: { validations: [{ field: "inputs.a" }] },
    });
  });

  it("are evaluated again at each message of a form", async () => {
    const form = world.follow(path());
    await new Promise((resolve) => form.raw.once("message", resolve));
    expect(form.messages).toMatchObject([{ id: -1, parameters: [{}, { value: { value: "2" } }] }]);
    form.raw.send(JSON.stringify({ id: 0, inputs: { cores: "4" } }));
    await new Promise((resolve) => form.raw.once("message", resolve));
    expect(form.messages[1]).toMatchObject({ id: 0, parameters: [{}, { value: { value: "4" } }] });
    form.raw.send("{");
    expect(await form.ended).toMatchObject({ code: 1008 });
  });

  it("are evaluated for one message after the other, of which few may wait", async () => {
    const form = world.follow(path());
    await new Promise((resolve) => form.raw.once("message", resolve));
    const send = (id: number) => form.raw.send(JSON.stringify({ id, inputs: {} }));
    for (let id = 0; id < 5; id += 1) send(id);
    await expect.poll(() => form.messages.length).toBe(6);
    expect(form.messages).toMatchObject([-1, 0, 1, 2, 3, 4].map((id) => ({ id })));
    for (let id = 0; id < 500; id += 1) send(id);
    // The others wait in the socket, which is not read meanwhile.
    await expect.poll(() => form.messages.length, { timeout: 20_000 }).toBeGreaterThan(20);
    expect(form.messages.slice(6, 20)).toMatchObject(
      Array.from({ length: 14 }, (_, id) => ({ id })),
    );
    expect(form.messages.length).toBeLessThan(200);
    form.raw.terminate();
  });

  it("are no variables", async () => {
    expect(await world.get(`/templateversions/${world.first.id}/variables`)).toMatchObject({
      body: [],
    });
  });
});
