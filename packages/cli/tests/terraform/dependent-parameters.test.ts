import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { listBuildParameters } from "@slipway/api/builds/routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { buildTerraform, configurationHead, dependentFiles } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type CommandServer, openCommandServer } from "../support/command-server.ts";

/* Commands for configurations whose parameters depend on each other, or are hidden, with OpenTofu itself. */

const masked = `${configurationHead}
data "coder_parameter" "key" {
  name    = "key"
  mutable = true
  default = "hush"
  styling = jsonencode({ mask_input = true })
}
data "coder_workspace_preset" "quick" {
  name       = "quick"
  parameters = { key = "whisper" }
}
`;

let commandServer: CommandServer;

beforeAll(async () => {
  const { program, configFile } = await buildTerraform();
  commandServer = await openCommandServer({
    SLIPWAY_TERRAFORM: program,
    SLIPWAY_TERRAFORM_CONFIG: configFile,
    SLIPWAY_TERRAFORM_USERS: "server",
  });
  await push("dependent", dependentFiles);
}, 1_200_000);
afterAll(() => commandServer[Symbol.asyncDispose]());

async function push(template: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(commandServer.directory, template, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const pushed = await commandServer.slipway(`templates push @/${template}`);
  expect(pushed).toMatchObject({ code: 0 });
}

async function valuesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const params = { user: "me", name };
  const { admin } = commandServer;
  const { latest_build: build } = await admin.call(getWorkspaceByName, { params });
  const values = await admin.call(listBuildParameters, { params: { build: build.id } });
  return Object.fromEntries(values.map((one) => [one.name, one.value]));
}

/** The questions that a command asked, by the names of the parameters. */
function questions(text: string): readonly string[] {
  return [...text.matchAll(/^\? (\w+)/gm)].map(([, name = ""]) => name);
}

it("prompts for the parameters that there are for each answer", async () => {
  const answers = [true, "9", "3", "us", "us-1", "", "light"];
  const made = await commandServer.slipway("create asked -t dependent --no-wait", answers);
  expect(questions(made.err)).toEqual(["gpu", "gpus", "gpus", "region", "zone", "quota", "theme"]);
  expect(made.err).toContain("found 9, wanted at most 4");
  expect(made).toMatchObject({ code: 0 });
  expect(await valuesOf("asked")).toEqual({
    gpu: "true",
    gpus: "3",
    region: "us",
    zone: "us-1",
    quota: "admin",
    theme: "light",
  });
});

it("takes values of parameters that there are only for them, and refuses others", async () => {
  const create = (name: string, flags: string) =>
    commandServer.slipway(`create ${name} -t dependent --no-wait ${flags}`);
  const given = "--parameter gpu=true --parameter gpus=4 --parameter-default theme=x";
  expect(await create("given", given)).toMatchObject({ code: 0 });
  expect(await valuesOf("given")).toMatchObject({ gpu: "true", gpus: "4", theme: "x" });
  const absent = await create("absent", "--parameter gpus=4");
  expect(absent.err).toContain('unknown parameter "gpus"');
  const misspelt = await create("misspelt", "--parameter gpos=4");
  expect(misspelt.err).toContain('the template has no parameter "gpos"');
});

it("shows no value that the template hides, in prompts, presets and workspaces", async () => {
  await push("masked", { "main.tf": masked });
  const made = await commandServer.slipway("create masked -t masked --no-wait", ["none", ""]);
  expect(made).toMatchObject({ code: 0 });
  expect(made.err).toContain("quick: key=(hidden)");
  expect(made.err).toContain("? key (Enter alone takes the present value) (not shown)");
  expect(made.err).not.toMatch(/hush|whisper/);
  expect(await valuesOf("masked")).toEqual({ key: "hush" });
  const other = await commandServer.slipway("create other -t masked --no-wait", ["none", "own"]);
  expect(other).toMatchObject({ code: 0 });
  expect(await valuesOf("other")).toEqual({ key: "own" });
  const presets = await commandServer.slipway("templates presets list masked");
  expect(presets.out).toMatch(/quick .* key=\(hidden\)/);
  expect((await commandServer.slipway("show other")).out).toMatch(/key +\(hidden\)/);
});
