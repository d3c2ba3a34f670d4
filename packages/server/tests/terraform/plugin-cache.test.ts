import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { TerraformDriver } from "@slipway/drivers";
import { systemClock } from "@slipway/runtime";
import {
  buildTerraform,
  provider,
  providerVersion,
  type TestTerraform,
} from "@slipway/testkit/terraform";
import { afterAll, beforeAll, expect, it } from "vitest";

import { zipProgram } from "./zip-program.ts";

/* OpenTofu with a cache of providers that all runs share. */

const { signal } = new AbortController();
const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
const place = "registry.opentofu.org/coder/coder";

let terraform: TestTerraform;
let directory = "";
beforeAll(async () => {
  terraform = await buildTerraform();
  directory = await mkdtemp(join(tmpdir(), "slipway-cache-"));
}, 1_200_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Puts the provider into a mirror as its makers distribute it: an archive to unpack. */
async function writeMirror(): Promise<void> {
  const program = await readFile(join(dirname(terraform.configFile), provider));
  const name = `terraform-provider-coder_v${providerVersion}`;
  const folder = join(directory, "mirror", place);
  await mkdir(folder, { recursive: true });
  const file = `terraform-provider-coder_${providerVersion}_${platform}.zip`;
  await writeFile(join(folder, file), zipProgram(name, program));
}

const configuration = `terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
`;

it("is filled by runs that begin at once, each of which gets its whole providers", async () => {
  await writeMirror();
  const configFile = join(directory, "tofurc");
  const cache = join(directory, "cache");
  const files = join(directory, "files");
  await mkdir(cache);
  await mkdir(files);
  await writeFile(join(files, "main.tf"), configuration);
  await writeFile(
    configFile,
    `plugin_cache_dir = "${cache}"\nprovider_installation {\n  filesystem_mirror {\n    path = "${join(directory, "mirror")}"\n  }\n}\n`,
  );
  const driver = new TerraformDriver({
    runsDir: join(directory, "runs"),
    program: { path: terraform.program },
    configFile,
    environment: {},
    users: undefined,
    agentScripts: {},
    maxRuns: 6,
    clock: systemClock,
  });
  const template = { id: "", name: "", version: "", settings: {}, notes: undefined };
  const readings = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      driver.read(
        {
          key: `version-${index}`,
          template: { ...template, directory: files },
          parameters: {},
          accessUrl: "http://127.0.0.1",
          owner: undefined,
        },
        { write: () => undefined },
        signal,
      ),
    ),
  );
  const agents = readings.flatMap(({ definition }) => definition.agents.map(({ name }) => name));
  expect(agents).toEqual(Array.from({ length: 6 }, () => "main"));
  const version = join(cache, place, providerVersion);
  expect(await readdir(join(version, platform))).toEqual([
    `terraform-provider-coder_v${providerVersion}`,
  ]);
});
