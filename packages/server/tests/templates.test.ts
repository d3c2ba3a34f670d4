import {
  createTemplateVersion,
  getTemplateVersion,
  getUser,
  getWorkspaceByName,
  listProvisionerJobs,
  listTemplateVersionPresets,
  tarMimeType,
  type TemplateVersion,
  uploadFile,
} from "@slipway/api";
import { packTemplate, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { type Answer, type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/** Its agents are never started, so workspaces of it are built at once. */
const template = `
driver: external
display_name: Small
parameters:
  greeting: { type: string, default: hello, mutable: true, validation: { regex: "^[a-z]+$" } }
  cores: { type: number, default: "2", validation: { min: 1, max: 8 } }
presets:
  quick: { default: true, parameters: { greeting: welcome } }
agents:
  main:
    os: linux
    arch: amd64
    directory: /tmp
    env: { GREETING: "\${{ parameters.greeting }}", BOX: "\${{ workspace.name }}" }
    scripts:
      hello: { run_on: [start], run: echo hello, log_path: hello.log }
    apps:
      docs: { display_name: Docs, url: http://localhost:8080 }
`;

type Client = OpenServer["admin"];

let server: OpenServer;
let member: Client;
let templateId = "";
let first: TemplateVersion;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  member = (await addPerson(server, "mia")).client;
  templateId = await pushTemplate(server.admin, "small", template);
  first = await activeVersion();
});
afterAll(() => server[Symbol.asyncDispose]());

const get = (path: string, client?: Client): Promise<Answer> =>
  server.request("GET", path, undefined, client);
const post = (path: string, body?: unknown, client?: Client): Promise<Answer> =>
  server.request("POST", path, body, client);
const patch = (path: string, body?: unknown, client?: Client): Promise<Answer> =>
  server.request("PATCH", path, body, client);

async function activeVersion(): Promise<TemplateVersion> {
  const { body } = await get(`/templates/${templateId}`);
  const version = fieldOf(body, "active_version_id");
  return server.admin.call(getTemplateVersion, { params: { version } });
}

function fieldOf(body: unknown, key: string): string {
  if (typeof body !== "object" || body === null || !(key in body)) throw new Error(`no ${key}`);
  return String(Object.entries(body).find(([name]) => name === key)?.[1]);
}

async function pushVersion(yaml: string, name: string): Promise<TemplateVersion> {
  const input = { bytes: await packTemplate(yaml), contentType: tarMimeType };
  const { hash } = await server.admin.upload(uploadFile, input);
  const { id } = await server.admin.call(createTemplateVersion, {
    params: { organization: "default" },
    body: { file_id: hash, template_id: templateId, name },
  });
  await follow(`/templateversions/${id}/logs?follow`).ended;
  return server.admin.call(getTemplateVersion, { params: { version: id } });
}

interface Followed {
  readonly raw: WebSocket;
  readonly messages: unknown[];
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
}

function follow(path: string): Followed {
  const url = `${server.url.replace("http", "ws")}/api/v2${path}`;
  const raw = new WebSocket(url, { headers: server.admin.headers });
  const messages: unknown[] = [];
  const ended = Promise.withResolvers<{ code: number; reason: string }>();
  raw.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString())));
  raw.on("close", (code, reason) => ended.resolve({ code, reason: reason.toString() }));
  raw.on("error", ended.reject);
  return { raw, messages, ended: ended.promise };
}

async function dryRun(body: object, client?: Client): Promise<{ job: string; path: string }> {
  const created = await post(`/templateversions/${first.id}/dry-run`, body, client);
  expect(created).toMatchObject({
    status: 201,
    body: {
      type: "template_version_dry_run",
      input: { template_version_id: first.id },
      file_id: first.job.file_id,
    },
  });
  const job = fieldOf(created.body, "id");
  return { job, path: `/templateversions/${first.id}/dry-run/${job}` };
}

async function countDryRuns(): Promise<number> {
  const rows = await server.db.selectFrom("template_version_dry_runs").select("job_id").execute();
  return rows.length;
}

describe("a dry run", () => {
  it("plans the workspace with the values given, and makes nothing", async () => {
    const { path } = await dryRun({
      workspace_name: "new1",
      rich_parameter_values: [{ name: "greeting", value: "moin" }],
    });
    const log = follow(`${path}/logs?follow`);
    expect(await log.ended).toEqual({ code: 1000, reason: "done" });
    expect(log.messages).toMatchObject([
      { stage: "Setting up", output: "" },
      { stage: "Planning the workspace", output: "" },
      { stage: "Cleaning Up", output: "" },
    ]);
    expect(await get(path)).toMatchObject({ status: 200, body: { status: "succeeded" } });
    expect(await get(`${path}/resources`)).toMatchObject({
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
    expect(await get(`${path}/matched-provisioners`)).toMatchObject({
      status: 200,
      body: { count: 1, available: 1 },
    });
    expect(await patch(`${path}/cancel`)).toMatchObject({
      status: 400,
      body: { message: "Job has already completed!" },
    });
    expect(await get("/workspaces")).toMatchObject({ body: { count: 0 } });
  });

  it("is refused with the parameters that do not fit, and takes null for none", async () => {
    const rich_parameter_values = [
      { name: "cores", value: "99" },
      { name: "colour", value: "red" },
    ];
    const before = await countDryRuns();
    expect(
      await post(`/templateversions/${first.id}/dry-run`, { rich_parameter_values }),
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
    await follow(`${none.path}/logs?follow`).ended;
    expect(await get(none.path)).toMatchObject({ body: { status: "succeeded" } });
  });

  it("is kept until twenty newer ones of its user have ended", async () => {
    const { client } = await addPerson(server, "trier");
    const oldest = await dryRun({}, client);
    await follow(`${oldest.path}/logs?follow`).ended;
    for (let count = 0; count < 20; count += 1) {
      expect(await get(oldest.path, client)).toMatchObject({ status: 200 });
      const { path } = await dryRun({}, client);
      await follow(`${path}/logs?follow`).ended;
    }
    expect(await get(oldest.path, client)).toMatchObject({ status: 404 });
  });

  it("belongs to who began it, and to its version", async () => {
    const own = await dryRun({}, member);
    expect(await get(own.path, member)).toMatchObject({ status: 200 });
    const admins = await dryRun({});
    expect(await get(admins.path, member)).toMatchObject({ status: 404 });
    const other = `/templateversions/${templateId}/dry-run/${admins.job}`;
    expect(await get(other)).toMatchObject({ status: 404 });
  });
});

describe("the parameters of a version", () => {
  const path = (): string => `/templateversions/${first.id}/dynamic-parameters`;

  it("are evaluated with inputs, also for members", async () => {
    const body = { id: 3, inputs: { cores: "0" }, owner_id: templateId };
    expect(await post(`${path()}/evaluate`, body, member)).toMatchObject({
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
    expect(await post(`${path()}/evaluate`, { id: 0, inputs: { a: 1 } })).toMatchObject({
      status: 400,
      body: { validations: [{ field: "inputs.a" }] },
    });
  });

  it("are evaluated again at each message of a form", async () => {
    const form = follow(path());
    await new Promise((resolve) => form.raw.once("message", resolve));
    expect(form.messages).toMatchObject([{ id: -1, parameters: [{}, { value: { value: "2" } }] }]);
    form.raw.send(JSON.stringify({ id: 0, inputs: { cores: "4" } }));
    await new Promise((resolve) => form.raw.once("message", resolve));
    expect(form.messages[1]).toMatchObject({ id: 0, parameters: [{}, { value: { value: "4" } }] });
    form.raw.send("{");
    expect(await form.ended).toMatchObject({ code: 1008 });
  });

  it("are evaluated for one message after the other, of which few may wait", async () => {
    const form = follow(path());
    await new Promise((resolve) => form.raw.once("message", resolve));
    const send = (id: number) => form.raw.send(JSON.stringify({ id, inputs: {} }));
    for (let id = 0; id < 5; id += 1) send(id);
    await expect.poll(() => form.messages.length).toBe(6);
    expect(form.messages).toMatchObject([-1, 0, 1, 2, 3, 4].map((id) => ({ id })));
    for (let id = 0; id < 500; id += 1) send(id);
    expect(await form.ended).toEqual({
      code: 1008,
      reason: "more than 100 messages wait for an answer",
    });
    expect(form.messages.length).toBeLessThan(200);
  });

  it("are no variables", async () => {
    expect(await get(`/templateversions/${first.id}/variables`)).toMatchObject({ body: [] });
  });
});

describe("the versions of a template", () => {
  let second: TemplateVersion;

  beforeAll(async () => {
    second = await pushVersion(template.replace("/tmp", "/srv"), "two");
  });

  it("plan what their templates say", async () => {
    expect(await get(`/templateversions/${second.id}/resources`, member)).toMatchObject({
      status: 200,
      body: [{ agents: [{ environment_variables: { BOX: "${{ workspace.name }}" } }] }],
    });
  });

  it("are found by name, and by what came before", async () => {
    const named = "/organizations/default/templates/small/versions/two";
    expect(await get(named)).toMatchObject({ status: 200, body: { id: second.id } });
    expect(await get(`/templates/${templateId}/versions/two`)).toMatchObject({
      body: { id: second.id },
    });
    expect(await get(`${named}/previous`)).toMatchObject({ body: { id: first.id } });
    expect(
      await get(`/organizations/default/templates/small/versions/${first.name}/previous`),
    ).toMatchObject({ status: 404 });
    expect(await get(`/templates/${templateId}/versions/nine`)).toMatchObject({ status: 404 });
  });

  it("are compared, for who may write templates", async () => {
    const answer = await get(`/templateversions/${second.id}/diff?from=${first.id}`);
    expect(answer).toMatchObject({
      status: 200,
      body: { from: { id: first.id }, to: { id: second.id, name: "two" } },
    });
    const diff = fieldOf(answer.body, "diff").split("\n");
    expect(diff.slice(0, 2)).toEqual([
      `--- slipway.yaml (${first.name})`,
      "+++ slipway.yaml (two)",
    ]);
    expect(diff.filter((line) => /^[-+] /.test(line))).toEqual([
      "-    directory: /tmp",
      "+    directory: /srv",
    ]);
    const before = await get(`/templateversions/${second.id}/diff`);
    expect(before.body).toEqual(answer.body);
    const same = await get(`/templateversions/${second.id}/diff?from=${second.id}`);
    expect(same).toMatchObject({ body: { diff: "" } });
    expect(await get(`/templateversions/${second.id}/diff`, member)).toMatchObject({ status: 403 });
    expect(await get(`/templateversions/${second.id}/diff?from=${templateId}`)).toMatchObject({
      status: 400,
      body: { validations: [{ field: "from" }] },
    });
  });

  it("are renamed and described", async () => {
    const path = `/templateversions/${second.id}`;
    expect(await patch(path, { name: "second", message: "moved" })).toMatchObject({
      status: 200,
      body: { name: "second", message: "moved" },
    });
    expect(await patch(path, { name: "no name" })).toMatchObject({ status: 400 });
    expect(await patch(path, { name: first.name })).toMatchObject({ status: 409 });
    expect(await patch(path, { name: "x" }, member)).toMatchObject({ status: 403 });
  });

  it("are archived unless they are used, and then no longer listed or offered", async () => {
    expect(await post(`/templateversions/${first.id}/archive`)).toMatchObject({ status: 400 });
    expect(await post(`/templateversions/${second.id}/archive`, {}, member)).toMatchObject({
      status: 403,
    });
    expect(await post(`/templateversions/${second.id}/archive`)).toMatchObject({ status: 200 });
    expect(await post(`/templateversions/${second.id}/archive`)).toMatchObject({ status: 400 });
    const list = `/templates/${templateId}/versions`;
    expect(await get(list)).toMatchObject({ body: [{ id: first.id }] });
    expect(await get(`${list}?include_archived=true`)).toHaveProperty("body.length", 2);
    const activate = await patch(list, { id: second.id });
    expect(activate).toMatchObject({ status: 400, body: { validations: [{ field: "id" }] } });
    const body = { name: "old", template_version_id: second.id };
    expect(await post("/users/me/workspaces", body)).toMatchObject({
      status: 400,
      body: { validations: [{ field: "template_version_id" }] },
    });
    expect(await post(`/templateversions/${second.id}/unarchive`)).toMatchObject({ status: 200 });
    expect(await get(list)).toHaveProperty("body.length", 2);
  });

  it("are archived all at once: those that failed, or all that nothing uses", async () => {
    const broken = await pushVersion("driver: nothing\n", "broken");
    expect(broken.job.status).toBe("failed");
    const body = { name: "broke", template_version_id: broken.id };
    expect(await post("/users/me/workspaces", body)).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("slipway.yaml has") },
    });
    const path = `/templates/${templateId}/versions/archive`;
    expect(await post(path, { all: false })).toMatchObject({
      status: 200,
      body: { template_id: templateId, archived_ids: [broken.id] },
    });
    expect(await post(path, { all: true })).toMatchObject({
      body: { archived_ids: [second.id] },
    });
  });
});

describe("a template", () => {
  const path = (): string => `/templates/${templateId}`;

  it("is changed where a change has an effect, and told so where not", async () => {
    const changes = {
      name: "small",
      display_name: "Tiny",
      default_ttl_ms: 3_600_000,
      activity_bump_ms: 0,
      allow_user_autostart: true,
      allow_user_cancel_workspace_jobs: false,
      autostop_requirement: { weeks: 1, days_of_week: [] },
      disable_everyone_group_access: false,
    };
    expect(await patch(path(), changes)).toMatchObject({
      status: 200,
      body: { display_name: "Tiny", default_ttl_ms: 3_600_000, activity_bump_ms: 0 },
    });
    expect(await patch(path(), { failure_ttl_ms: 5 })).toMatchObject({
      status: 400,
      body: {
        validations: [{ field: "failure_ttl_ms", detail: expect.stringContaining("must be 0") }],
      },
    });
    expect(await patch(path(), { name: "-" })).toMatchObject({ status: 400 });
    expect(await patch(path(), { default_ttl_ms: -1 })).toMatchObject({ status: 400 });
    expect(await patch(path(), { icon: "" }, member)).toMatchObject({ status: 403 });
  });

  it("refuses new workspaces with its message once it is deprecated", async () => {
    const deprecation_message = "use large instead";
    expect(await patch(path(), { deprecation_message })).toMatchObject({
      body: { deprecated: true, deprecation_message },
    });
    const body = { name: "box", template_id: templateId };
    expect(await post("/users/me/workspaces", body)).toMatchObject({
      status: 400,
      body: { detail: deprecation_message, validations: [{ field: "template_id" }] },
    });
    expect(await get("/templates?q=deprecated:true")).toMatchObject({ body: [{ name: "small" }] });
    expect(await get("/templates?q=deprecated:false")).toMatchObject({ body: [] });
    expect(await patch(path(), { deprecation_message: "" })).toMatchObject({
      body: { deprecated: false },
    });
  });

  it("may want its active version of everybody but who writes templates", async () => {
    const three = await pushVersion(template, "three");
    expect(await patch(path(), { require_active_version: true })).toMatchObject({ status: 200 });
    const body = { name: "older", template_version_id: three.id };
    expect(await post("/users/me/workspaces", body, member)).toMatchObject({ status: 403 });
    const active = { name: "mine", template_id: templateId };
    expect(await post("/users/me/workspaces", active, member)).toMatchObject({
      status: 201,
      body: { template_require_active_version: true, template_use_classic_parameter_flow: false },
    });
  });

  it("is not deleted while it has workspaces", async () => {
    expect(await server.request("DELETE", path(), undefined, member)).toMatchObject({
      status: 403,
    });
    expect(await server.request("DELETE", path())).toMatchObject({ status: 400 });
    const spare = await pushTemplate(server.admin, "spare", template);
    expect(await server.request("DELETE", `/templates/${spare}`)).toMatchObject({ status: 200 });
    expect(await get(`/templates/${spare}`)).toMatchObject({ status: 404 });
    await pushTemplate(server.admin, "spare", template);
  });

  it("counts its users", async () => {
    expect(await get(`${path()}/daus?tz_offset=2`)).toMatchObject({
      status: 200,
      body: { tz_hour_offset: 2, entries: [] },
    });
    expect(await get(`${path()}/daus?tz_offset=99`)).toMatchObject({ status: 400 });
  });

  it("has its schema published to everybody", async () => {
    const answer = await fetch(`${server.url}/api/v2/templates/schema`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ title: "Slipway template" });
  });

  it("is made of an example", async () => {
    const examples = await get("/organizations/default/templates/examples");
    expect(examples.body).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: "demo", tags: ["process"] })]),
    );
    const versions = "/organizations/default/templateversions";
    const made = await post(versions, { example_id: "demo" });
    expect(made.status).toBe(201);
    const id = fieldOf(made.body, "id");
    await follow(`/templateversions/${id}/logs?follow`).ended;
    expect(await get(`/templateversions/${id}`)).toMatchObject({
      body: { job: { status: "succeeded" } },
    });
    expect(await post(versions, { example_id: "none" })).toMatchObject({ status: 400 });
    expect(await post(versions, {})).toMatchObject({
      status: 400,
      body: { validations: [{ field: "file_id" }] },
    });
  });

  it("is pulled as it was sent, and in no other form", async () => {
    const file = `/files/${first.job.file_id}`;
    expect(await get(`${file}?format=`)).toMatchObject({ status: 200, type: tarMimeType });
    expect(await get(`${file}?format=zip`)).toMatchObject({ status: 400 });
    expect(await get(file, member)).toMatchObject({ status: 404 });
  });
});

describe("the jobs of an organization", () => {
  const path = "/organizations/default/provisionerjobs";

  it("are listed newest first, each with what it is about", async () => {
    const jobs = await get(`${path}?limit=50`);
    expect(jobs.body).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: "workspace_build",
          metadata: expect.objectContaining({
            template_name: "small",
            workspace_name: "mine",
            workspace_build_transition: "start",
          }) as unknown,
        }),
        expect.objectContaining({ type: "template_version_dry_run" }),
      ]),
    );
    expect(await get(`${path}?limit=1`)).toHaveProperty("body.length", 1);
    const failed = await get(`${path}?status=failed&limit=9`);
    expect(failed.body).toEqual(
      expect.arrayContaining([expect.objectContaining({ status: "failed" })]),
    );
    expect(failed.body).not.toContainEqual(expect.objectContaining({ status: "succeeded" }));
    expect(await get(`${path}?status=lost`)).toMatchObject({ status: 400 });
  });

  it("are one's own for who writes no templates", async () => {
    const params = { organization: "default" };
    const jobs = await member.call(listProvisionerJobs, { params });
    const { id } = await member.call(getUser, { params: { user: "me" } });
    expect(jobs.map((job) => job.initiator_id)).toEqual(jobs.map(() => id));
    expect(jobs.length).toBeGreaterThan(0);
    const ids = jobs.map((job) => job.id).join(",");
    expect(await get(`${path}?ids=${ids}`)).toHaveProperty("body.length", jobs.length);
  });
});

describe("the preset of a workspace", () => {
  const made = async (name: string, more: object): Promise<unknown> => {
    const body = { name, template_id: templateId, ...more };
    return (await post("/users/me/workspaces", body)).body;
  };

  it("is the one that its values amount to, where none is named, and its values win where one is", async () => {
    const params = { version: first.id };
    const presets = await server.admin.call(listTemplateVersionPresets, { params });
    expect(presets).toMatchObject([
      { Name: "quick", Default: true, DesiredPrebuildInstances: null },
    ]);
    const id = presets[0]?.ID ?? "";
    const greeting = (value: string): object => ({
      rich_parameter_values: [{ name: "greeting", value }],
    });
    expect(await made("other", greeting("moin"))).toMatchObject({
      latest_build: { template_version_preset_id: null },
    });
    expect(await made("same", greeting("welcome"))).toMatchObject({
      latest_build: { template_version_preset_id: id },
    });
    const named = await made("named", { ...greeting("moin"), template_version_preset_id: id });
    expect(named).toMatchObject({ latest_build: { template_version_preset_id: id } });
    const found = await server.admin.call(getWorkspaceByName, {
      params: { user: "me", name: "named" },
    });
    const parameters = await get(`/workspacebuilds/${found.latest_build.id}/parameters`);
    expect(parameters.body).toContainEqual({ name: "greeting", value: "welcome" });
  });
});
