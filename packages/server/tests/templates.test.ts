import { tarMimeType } from "@slipway/api/files/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fieldOf, smallTemplate, TemplateWorld } from "./support/template-world.ts";

let world: TemplateWorld;

beforeAll(async () => {
  world = await TemplateWorld.open();
});

afterAll(() => world[Symbol.asyncDispose]());

describe("a template", () => {
  const path = (): string => `/templates/${world.templateId}`;

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
    expect(await world.patch(path(), changes)).toMatchObject({
      status: 200,
      body: { display_name: "Tiny", default_ttl_ms: 3_600_000, activity_bump_ms: 0 },
    });
    expect(await world.patch(path(), { disable_module_cache: true })).toMatchObject({
      status: 400,
      body: {
        validations: [
          { field: "disable_module_cache", detail: expect.stringContaining("must be false") },
        ],
      },
    });
    expect(await world.patch(path(), { name: "-" })).toMatchObject({ status: 400 });
    expect(await world.patch(path(), { default_ttl_ms: -1 })).toMatchObject({ status: 400 });
    expect(await world.patch(path(), { icon: "" }, world.member)).toMatchObject({ status: 403 });
  });

  it("refuses new workspaces with its message once it is deprecated", async () => {
    const deprecation_message = "use large instead";
    expect(await world.patch(path(), { deprecation_message })).toMatchObject({
      body: { deprecated: true, deprecation_message },
    });
    const body = { name: "box", template_id: world.templateId };
    expect(await world.post("/users/me/workspaces", body)).toMatchObject({
      status: 400,
      body: { detail: deprecation_message, validations: [{ field: "template_id" }] },
    });
    expect(await world.get("/templates?q=deprecated:true")).toMatchObject({
      body: [{ name: "small" }],
    });
    expect(await world.get("/templates?q=deprecated:false")).toMatchObject({ body: [] });
    expect(await world.patch(path(), { deprecation_message: "" })).toMatchObject({
      body: { deprecated: false },
    });
  });

  it("may want its active version of everybody but who writes templates", async () => {
    const three = await world.pushVersion(smallTemplate, "three");
    expect(await world.patch(path(), { require_active_version: true })).toMatchObject({
      status: 200,
    });
    const body = { name: "older", template_version_id: three.id };
    expect(await world.post("/users/me/workspaces", body, world.member)).toMatchObject({
      status: 403,
    });
    const active = { name: "mine", template_id: world.templateId };
    expect(await world.post("/users/me/workspaces", active, world.member)).toMatchObject({
      status: 201,
      body: { template_require_active_version: true, template_use_classic_parameter_flow: false },
    });
  });

  it("is not deleted while it has workspaces", async () => {
    expect(await world.server.request("DELETE", path(), undefined, world.member)).toMatchObject({
      status: 403,
    });
    expect(await world.server.request("DELETE", path())).toMatchObject({ status: 400 });
    const spare = await pushTemplate(world.server.admin, "spare", smallTemplate);
    expect(await world.server.request("DELETE", `/templates/${spare}`)).toMatchObject({
      status: 200,
    });
    expect(await world.get(`/templates/${spare}`)).toMatchObject({ status: 404 });
    await pushTemplate(world.server.admin, "spare", smallTemplate);
  });

  it("counts its users", async () => {
    expect(await world.get(`${path()}/daus?tz_offset=2`)).toMatchObject({
      status: 200,
      body: { tz_hour_offset: 2, entries: [] },
    });
    expect(await world.get(`${path()}/daus?tz_offset=99`)).toMatchObject({ status: 400 });
  });

  it("has its schema published to everybody", async () => {
    const answer = await fetch(`${world.server.url}/api/v2/templates/schema`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ title: "Slipway template" });
  });

  it("is made of an example", async () => {
    const examples = await world.get("/organizations/default/templates/examples");
    expect(examples.body).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: "demo", tags: ["process"] })]),
    );
    const versions = "/organizations/default/templateversions";
    const made = await world.post(versions, { example_id: "demo" });
    expect(made.status).toBe(201);
    const id = fieldOf(made.body, "id");
    await world.follow(`/templateversions/${id}/logs?follow`).ended;
    expect(await world.get(`/templateversions/${id}`)).toMatchObject({
      body: { job: { status: "succeeded" } },
    });
    expect(await world.post(versions, { example_id: "none" })).toMatchObject({ status: 400 });
    expect(await world.post(versions, {})).toMatchObject({
      status: 400,
      body: { validations: [{ field: "file_id" }] },
    });
  });

  it("is pulled as it was sent, and in no other form", async () => {
    const file = `/files/${world.first.job.file_id}`;
    expect(await world.get(`${file}?format=`)).toMatchObject({ status: 200, type: tarMimeType });
    expect(await world.get(`${file}?format=zip`)).toMatchObject({ status: 400 });
    expect(await world.get(file, world.member)).toMatchObject({ status: 404 });
  });
});

describe("the preset of a workspace", () => {
  const made = async (name: string, more: object): Promise<unknown> => {
    const body = { name, template_id: world.templateId, ...more };
    return (await world.post("/users/me/workspaces", body)).body;
  };

  it("is the one that its values amount to, where none is named, and its values win where one is", async () => {
    const params = { version: world.first.id };
    const presets = await world.server.admin.call(listTemplateVersionPresets, { params });
    expect(presets).toMatchObject([
      {
        Name: "quick",
        DisplayName: "Quick start",
        Default: true,
        DesiredPrebuildInstances: null,
      },
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
    const found = await world.server.admin.call(getWorkspaceByName, {
      params: { user: "me", name: "named" },
    });
    const parameters = await world.get(`/workspacebuilds/${found.latest_build.id}/parameters`);
    expect(parameters.body).toContainEqual({ name: "greeting", value: "welcome" });
  });
});
