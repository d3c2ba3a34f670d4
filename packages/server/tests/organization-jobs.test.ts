import { listProvisionerJobs } from "@slipway/api/organizations/provisioner-routes";
import { getUser } from "@slipway/api/users/routes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TemplateWorld } from "./support/template-world.ts";

let world: TemplateWorld;

beforeAll(async () => {
  world = await TemplateWorld.open();
  await world.post(`/templateversions/${world.first.id}/dry-run`, {});
  const body = { name: "mine", template_id: world.templateId };
  await world.post("/users/me/workspaces", body, world.member);
  await world.pushVersion("driver: nothing\n", "broken");
});

afterAll(() => world[Symbol.asyncDispose]());

describe("the jobs of an organization", () => {
  const path = "/organizations/default/provisionerjobs";

  it("are listed newest first, each with what it is about", async () => {
    const jobs = await world.get(`${path}?limit=50`);
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
    expect(await world.get(`${path}?limit=1`)).toHaveProperty("body.length", 1);
    const failed = await world.get(`${path}?status=failed&limit=9`);
    expect(failed.body).toEqual(
      expect.arrayContaining([expect.objectContaining({ status: "failed" })]),
    );
    expect(failed.body).not.toContainEqual(expect.objectContaining({ status: "succeeded" }));
    expect(await world.get(`${path}?status=lost`)).toMatchObject({ status: 400 });
  });

  it("are one's own for who writes no templates", async () => {
    const params = { organization: "default" };
    const jobs = await world.member.call(listProvisionerJobs, { params });
    const { id } = await world.member.call(getUser, { params: { user: "me" } });
    expect(jobs.map((job) => job.initiator_id)).toEqual(jobs.map(() => id));
    expect(jobs.length).toBeGreaterThan(0);
    const ids = jobs.map((job) => job.id).join(",");
    expect(await world.get(`${path}?ids=${ids}`)).toHaveProperty("body.length", jobs.length);
  });
});
