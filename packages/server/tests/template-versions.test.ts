import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fieldOf, smallTemplate, TemplateWorld } from "./support/template-world.ts";

let world: TemplateWorld;

beforeAll(async () => {
  world = await TemplateWorld.open();
});

afterAll(() => world[Symbol.asyncDispose]());

describe("the versions of a template", () => {
  let second: TemplateVersion;

  beforeAll(async () => {
    second = await world.pushVersion(smallTemplate.replace("/tmp", "/srv"), "two");
  });

  it("plan what their templates say", async () => {
    expect(await world.get(`/templateversions/${second.id}/resources`, world.member)).toMatchObject(
      {
        status: 200,
        body: [{ agents: [{ environment_variables: { BOX: "${{ workspace.name }}" } }] }],
      },
    );
  });

  it("are found by name, and by what came before", async () => {
    const named = "/organizations/default/templates/small/versions/two";
    expect(await world.get(named)).toMatchObject({ status: 200, body: { id: second.id } });
    expect(await world.get(`/templates/${world.templateId}/versions/two`)).toMatchObject({
      body: { id: second.id },
    });
    expect(await world.get(`${named}/previous`)).toMatchObject({ body: { id: world.first.id } });
    expect(
      await world.get(
        `/organizations/default/templates/small/versions/${world.first.name}/previous`,
      ),
    ).toMatchObject({ status: 404 });
    expect(await world.get(`/templates/${world.templateId}/versions/nine`)).toMatchObject({
      status: 404,
    });
  });

  it("are compared, for who may write templates", async () => {
    const answer = await world.get(`/templateversions/${second.id}/diff?from=${world.first.id}`);
    expect(answer).toMatchObject({
      status: 200,
      body: { from: { id: world.first.id }, to: { id: second.id, name: "two" } },
    });
    const diff = fieldOf(answer.body, "diff").split("\n");
    expect(diff.slice(0, 2)).toEqual([
      `--- slipway.yaml (${world.first.name})`,
      "+++ slipway.yaml (two)",
    ]);
    expect(diff.filter((line) => /^[-+] /.test(line))).toEqual([
      "-    directory: /tmp",
      "+    directory: /srv",
    ]);
    const before = await world.get(`/templateversions/${second.id}/diff`);
    expect(before.body).toEqual(answer.body);
    const same = await world.get(`/templateversions/${second.id}/diff?from=${second.id}`);
    expect(same).toMatchObject({ body: { diff: "" } });
    expect(await world.get(`/templateversions/${second.id}/diff`, world.member)).toMatchObject({
      status: 403,
    });
    expect(
      await world.get(`/templateversions/${second.id}/diff?from=${world.templateId}`),
    ).toMatchObject({
      status: 400,
      body: { validations: [{ field: "from" }] },
    });
  });

  it("are renamed and described", async () => {
    const path = `/templateversions/${second.id}`;
    expect(await world.patch(path, { name: "second", message: "moved" })).toMatchObject({
      status: 200,
      body: { name: "second", message: "moved" },
    });
    expect(await world.patch(path, { name: "no name" })).toMatchObject({ status: 400 });
    expect(await world.patch(path, { name: world.first.name })).toMatchObject({ status: 409 });
    expect(await world.patch(path, { name: "x" }, world.member)).toMatchObject({ status: 403 });
  });

  it("are archived unless they are used, and then no longer listed or offered", async () => {
    expect(await world.post(`/templateversions/${world.first.id}/archive`)).toMatchObject({
      status: 400,
    });
    expect(
      await world.post(`/templateversions/${second.id}/archive`, {}, world.member),
    ).toMatchObject({
      status: 403,
    });
    expect(await world.post(`/templateversions/${second.id}/archive`)).toMatchObject({
      status: 200,
    });
    expect(await world.post(`/templateversions/${second.id}/archive`)).toMatchObject({
      status: 400,
    });
    const list = `/templates/${world.templateId}/versions`;
    expect(await world.get(list)).toMatchObject({ body: [{ id: world.first.id }] });
    expect(await world.get(`${list}?include_archived=true`)).toHaveProperty("body.length", 2);
    const activate = await world.patch(list, { id: second.id });
    expect(activate).toMatchObject({ status: 400, body: { validations: [{ field: "id" }] } });
    const body = { name: "old", template_version_id: second.id };
    expect(await world.post("/users/me/workspaces", body)).toMatchObject({
      status: 400,
      body: { validations: [{ field: "template_version_id" }] },
    });
    expect(await world.post(`/templateversions/${second.id}/unarchive`)).toMatchObject({
      status: 200,
    });
    expect(await world.get(list)).toHaveProperty("body.length", 2);
  });

  it("are archived all at once: those that failed, or all that nothing uses", async () => {
    const broken = await world.pushVersion("driver: nothing\n", "broken");
    expect(broken.job.status).toBe("failed");
    const body = { name: "broke", template_version_id: broken.id };
    expect(await world.post("/users/me/workspaces", body)).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("slipway.yaml has") },
    });
    const path = `/templates/${world.templateId}/versions/archive`;
    expect(await world.post(path, { all: false })).toMatchObject({
      status: 200,
      body: { template_id: world.templateId, archived_ids: [broken.id] },
    });
    expect(await world.post(path, { all: true })).toMatchObject({
      body: { archived_ids: [second.id] },
    });
  });
});
