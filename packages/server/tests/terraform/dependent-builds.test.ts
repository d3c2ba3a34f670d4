import type { BuildParameter } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import { createDryRun, getDryRun } from "@slipway/api/templates/dry-run-routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import { pushVersion } from "@slipway/testkit";
import { dependentFiles } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { OpenServer } from "../support/open-server.ts";
import { addPerson, type Person } from "../support/people.ts";
import { openTerraformServer } from "../support/terraform-server.ts";

/* Builds of a configuration whose parameters depend on each other, with OpenTofu itself. */

const opened = new AsyncDisposableStack();
const patience = { timeout: 60_000, interval: 100 };
let server: OpenServer;
let ann: Person;
let version = "";
let templateId = "";

beforeAll(async () => {
  server = opened.use(await openTerraformServer());
  ann = await addPerson(server, "ann");
  const { "main.tf": main = "", ...more } = dependentFiles;
  version = await pushVersion(server.admin, main, { file: "main.tf", more });
  const body = { name: "dependent", template_version_id: version };
  const params = { organization: "default" };
  templateId = (await server.admin.call(createTemplate, { params, body })).id;
}, 1_200_000);
afterAll(() => opened.disposeAsync());

type Values = Readonly<Record<string, string>>;

function list(values: Values): BuildParameter[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

let created = 0;

/** Creates a workspace and waits for its build; resolves to the ids. */
async function create(
  values: Values,
  client = ann.client,
  user = "me",
): Promise<{ readonly workspace: string; readonly build: string }> {
  const body = {
    name: `w${(created += 1)}`,
    template_id: templateId,
    rich_parameter_values: list(values),
  };
  const { id, latest_build: build } = await client.call(createWorkspace, {
    params: { user },
    body,
  });
  await untilBuilt(id);
  return { workspace: id, build: build.id };
}

async function untilBuilt(workspace: string): Promise<void> {
  const status = async (): Promise<string> =>
    (await server.admin.call(getWorkspace, { params: { workspace }, query: {} })).latest_build
      .status;
  await expect.poll(status, patience).not.toMatch(/pending|starting/);
  expect(await status()).toBe("running");
}

async function start(workspace: string, values: Values): Promise<string> {
  const body = { transition: "start", rich_parameter_values: list(values) } as const;
  const { id } = await ann.client.call(createBuild, { params: { workspace }, body });
  await untilBuilt(workspace);
  return id;
}

async function valuesOf(build: string): Promise<Values> {
  const found = await server.admin.call(listBuildParameters, { params: { build } });
  return Object.fromEntries(found.map(({ name, value }) => [name, value]));
}

/** A refusal that names these fields. */
const refusal = (...fields: readonly string[]) => ({
  status: 400,
  body: { validations: fields.map((field) => expect.objectContaining({ field }) as unknown) },
});

describe("a workspace", () => {
  it("has the parameters that there are for its values and its owner", async () => {
    const usual = { gpu: "false", region: "eu", zone: "eu-1", quota: "ann" };
    expect(await valuesOf((await create({})).build)).toEqual(usual);
    const { build } = await create({ gpu: "true", gpus: "3", region: "us" });
    const more = { gpu: "true", gpus: "3", region: "us", zone: "us-1", theme: "dark" };
    expect(await valuesOf(build)).toEqual({ ...more, quota: "ann" });
    const others = await create({}, server.admin, "ann");
    expect(await valuesOf(others.build)).toEqual(usual);
  });

  it("is refused for values that do not fit what there is", async () => {
    await expect(create({ gpus: "3" })).rejects.toMatchObject(refusal("gpus"));
    await expect(create({ gpu: "true", gpus: "9", theme: "x" })).rejects.toMatchObject(
      refusal("gpus"),
    );
    await expect(create({ region: "us", zone: "eu-1" })).rejects.toMatchObject(refusal("zone"));
    await expect(create({ gpu: "false", theme: "light" })).rejects.toMatchObject(refusal("theme"));
  });

  it("keeps its values, and those that it gets must fit them", async () => {
    const { workspace } = await create({ gpu: "true", gpus: "2" });
    const kept = {
      gpu: "true",
      gpus: "2",
      region: "eu",
      zone: "eu-1",
      theme: "dark",
      quota: "ann",
    };
    expect(await valuesOf(await start(workspace, {}))).toEqual(kept);
    expect(await valuesOf(await start(workspace, { gpus: "4" }))).toEqual({ ...kept, gpus: "4" });
    await expect(start(workspace, { region: "us" })).rejects.toMatchObject(refusal("zone"));
    const moved = await start(workspace, { region: "us", zone: "us-1", gpu: "false" });
    expect(await valuesOf(moved)).toEqual({
      gpu: "false",
      region: "us",
      zone: "us-1",
      quota: "ann",
    });
    await expect(start(workspace, { gpus: "1" })).rejects.toMatchObject(refusal("gpus"));
  });

  it("can be tried with values of parameters that depend on others", async () => {
    const run = (values: Values) =>
      ann.client.call(createDryRun, {
        params: { version },
        body: { workspace_name: "x", rich_parameter_values: list(values) },
      });
    await expect(run({ gpus: "2" })).rejects.toMatchObject(refusal("gpus"));
    const { id: job } = await run({ gpu: "true", gpus: "2" });
    const status = async (): Promise<string> =>
      (await ann.client.call(getDryRun, { params: { version, job } })).status;
    await expect.poll(status, patience).not.toMatch(/pending|running/);
    expect(await status()).toBe("succeeded");
  });
});
