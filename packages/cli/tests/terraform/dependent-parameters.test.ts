import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { listBuildParameters } from "@slipway/api/builds/routes";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { buildTerraform, dependentFiles } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type CommandServer, openCommandServer } from "../support/command-server.ts";

/* Commands for a configuration whose parameters depend on each other, with OpenTofu itself. */

let commandServer: CommandServer;

beforeAll(async () => {
  const { program, configFile } = await buildTerraform();
  commandServer = await openCommandServer({
    SLIPWAY_TERRAFORM: program,
    SLIPWAY_TERRAFORM_CONFIG: configFile,
    SLIPWAY_TERRAFORM_USERS: "server",
  });
  for (const [name, text] of Object.entries(dependentFiles)) {
    const path = join(commandServer.directory, "dependent", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const pushed = await commandServer.slipway("templates push @/dependent");
  expect(pushed).toMatchObject({ code: 0 });
}, 1_200_000);
afterAll(() => commandServer[Symbol.asyncDispose]());

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
