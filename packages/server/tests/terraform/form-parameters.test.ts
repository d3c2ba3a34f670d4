import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { type DriverOwner, type DriverTemplate, TerraformDriver } from "@slipway/drivers";
import { systemClock } from "@slipway/runtime";
import type { ParameterDefinition, ParameterSource } from "@slipway/template";
import { buildTerraform, dependentFiles, configurationHead } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/* The driver's own answers to a form, from a real configuration. */

const opened = new AsyncDisposableStack();
let root = "";
let driver: TerraformDriver;
let template: DriverTemplate;
let sources: readonly ParameterSource[] = [];

const owner: DriverOwner = {
  id: "5a3c0a0e-57a1-4b2c-8a54-5d0b6b3f8c11",
  username: "ann",
  name: "Ann",
  email: "ann@example.com",
  roles: [],
  organizationId: "9f0c7a58-6a7b-4a4b-9d5e-d3a0f1f4c7b2",
  loginType: "password",
  gitKey: undefined,
};
const signal = new AbortController().signal;
const silent = { write: (): void => undefined };

async function writeTemplate(
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<DriverTemplate> {
  const directory = join(root, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return { id: "", name: "", version: "", settings: {}, notes: undefined, directory };
}

beforeAll(async () => {
  const { program, configFile } = await buildTerraform();
  root = await mkdtemp(join(tmpdir(), "slipway-forms-"));
  opened.defer(() => rm(root, { recursive: true, force: true }));
  driver = new TerraformDriver({
    runsDir: join(root, "runs"),
    program: { path: program },
    configFile,
    environment: {},
    users: undefined,
    agentScripts: {},
    maxRuns: 1,
    clock: systemClock,
  });
  const pushed = await writeTemplate("dependent", dependentFiles);
  const input = { key: "push", template: pushed, parameters: {}, accessUrl: "", owner: undefined };
  const { definition, notes } = await driver.read(input, silent, signal);
  sources = definition.parameterSources ?? [];
  template = { ...pushed, notes };
}, 1_200_000);
afterAll(() => opened.disposeAsync());

let runs = 0;

function ask(
  parameters: Readonly<Record<string, string>>,
  more: { readonly template?: DriverTemplate; readonly signal?: AbortSignal } = {},
): Promise<readonly ParameterDefinition[]> {
  const key = `form-${(runs += 1)}`;
  const input = { key, template, parameters, accessUrl: "", owner, sources, ...more };
  return driver.readParameters(input, more.signal ?? signal);
}

const names = (found: readonly ParameterDefinition[]): readonly string[] =>
  found.map(({ name }) => name);

describe("the parameters of a configuration", () => {
  it("are found at its push, those of modules too", () => {
    expect(sources.map(({ address }) => address).toSorted()).toEqual([
      "data.coder_parameter.gpu",
      "data.coder_parameter.gpus",
      "data.coder_parameter.quota",
      "data.coder_parameter.region",
      "data.coder_parameter.zone",
      "module.ide.data.coder_parameter.theme",
    ]);
  });

  it("come and go with values of others", async () => {
    expect(names(await ask({}))).toEqual(["gpu", "region", "zone", "quota"]);
    const on = await ask({ gpu: "true" });
    expect(names(on)).toEqual(["gpu", "gpus", "region", "zone", "quota", "theme"]);
    expect(on[1]).toMatchObject({ type: "number", default: "1", validation: { min: 1, max: 4 } });
  });

  it("have defaults and options by values of others, and by the owner", async () => {
    const found = await ask({ region: "us" });
    expect(found.find(({ name }) => name === "zone")).toMatchObject({
      default: "us-1",
      options: [{ value: "us-1" }],
    });
    expect(found.find(({ name }) => name === "quota")).toMatchObject({ default: "ann" });
  });

  it("are read without the values that they refuse", async () => {
    const found = await ask({ gpu: "true", gpus: "99", region: "mars", zone: "us-1", x: "y" });
    expect(names(found)).toEqual(["gpu", "gpus", "region", "zone", "quota", "theme"]);
    expect(found.find(({ name }) => name === "zone")).toMatchObject({ default: "eu-1" });
  });

  it("are read at the same time, and leave nothing behind, nor does a push that fails", async () => {
    const external = `${configurationHead}
data "coder_parameter" "size" {
  name    = "size"
  default = data.coder_workspace_owner.me.name
}
resource "terraform_data" "slow" {
  input = provider::missing::function()
}`;
    await expect(
      driver.read(
        {
          key: "broken",
          template: await writeTemplate("broken", { "main.tf": external }),
          parameters: {},
          accessUrl: "",
          owner,
        },
        silent,
        signal,
      ),
    ).rejects.toThrow(/main\.tf:\d+/);
    await Promise.all([ask({}), ask({ gpu: "true" }), ask({ region: "us" })]);
    expect(await readdir(join(root, "runs"))).toEqual([]);
  });

  it("are not read from a configuration that fails for the values: the error has file and line", async () => {
    const text = `${configurationHead}
data "coder_parameter" "region" {
  name    = "region"
  default = "eu"
}
data "coder_parameter" "zone" {
  name    = "zone"
  default = { eu = "eu-1" }[data.coder_parameter.region.value]
}`;
    const failing = await writeTemplate("failing", { "main.tf": text });
    const of = ["region", "zone"].map((name) => ({
      address: `data.coder_parameter.${name}`,
      name,
      mayBeEphemeral: false,
    }));
    const input = { key: "failing", template: failing, accessUrl: "", owner, sources: of };
    const read = (region: string) =>
      driver.readParameters({ ...input, parameters: { region, zone: "z" } }, signal);
    expect(names(await read("eu"))).toEqual(["region", "zone"]);
    await expect(read("mars")).rejects.toThrow(/^main\.tf:\d+:\d+: Invalid index/);
  });
});
