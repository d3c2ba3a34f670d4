import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import type { DriverTemplate } from "../driver-build.ts";
import { mustInstallAlone } from "./plugin-cache.ts";
import { TerraformDriver } from "./terraform-driver.ts";

const { signal } = new AbortController();

async function openDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-plugin-cache-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

const cached = { TF_PLUGIN_CACHE_DIR: "/var/cache/providers" };

it.each([
  ["Terraform", "1.11.4", cached, true],
  ["Terraform", "1.11.4", {}, false],
  ["OpenTofu", "1.9.3", cached, true],
  ["OpenTofu", "1.10.0-beta1", cached, false],
  ["OpenTofu", "2.0.0", cached, false],
] as const)("asks runs of %s %s with %j to install alone: %j", async (...row) => {
  const [product, version, environment, alone] = row;
  const options = { configFile: undefined, environment };
  expect(await mustInstallAlone({ path: "", product, version }, options)).toBe(alone);
});

it.each([
  ['plugin_cache_dir = "/var/cache/providers"', true],
  ['  plugin_cache_dir="/var/cache/providers"', true],
  ['{ "provider_installation": {},\n"plugin_cache_dir": "/var/cache" }', true],
  ['# plugin_cache_dir = "/var/cache/providers"', false],
  ["provider_installation {}", false],
])("finds a cache in the configuration %j: %j", async (text, alone) => {
  const configFile = join(await openDirectory(), "terraformrc");
  await writeFile(configFile, text);
  const program = { path: "", product: "Terraform", version: "1.11.4" } as const;
  const missing = { configFile: `${configFile}.missing`, environment: {} };
  expect(await mustInstallAlone(program, { configFile, environment: {} })).toBe(alone);
  expect(await mustInstallAlone(program, missing)).toBe(false);
});

/** A program whose `init` fails if another one runs in the same cache, and which does nothing else. */
const program = `#!/bin/sh
case $1 in
version) echo Terraform v1.11.4 ;;
init)
  mkdir "$TF_PLUGIN_CACHE_DIR/busy" || { echo 'Error: the cache is corrupt'; exit 1; }
  sleep 0.3
  rmdir "$TF_PLUGIN_CACHE_DIR/busy"
  ;;
*) echo 'Error: installed'; exit 1 ;;
esac
`;

it("has runs with a shared cache install their providers one after another", async () => {
  const directory = await openDirectory();
  const path = join(directory, "terraform");
  await writeFile(path, program, { mode: 0o755 });
  const files = join(directory, "files");
  await Promise.all(["files", "cache"].map((name) => mkdir(join(directory, name))));
  const driver = new TerraformDriver({
    runsDir: join(directory, "runs"),
    program: { path },
    configFile: undefined,
    environment: { TF_PLUGIN_CACHE_DIR: join(directory, "cache") },
    users: undefined,
    agentScripts: {},
    maxRuns: 4,
    clock: systemClock,
  });
  const template: DriverTemplate = {
    id: "",
    name: "",
    version: "",
    settings: {},
    directory: files,
    notes: undefined,
  };
  const log = { write: () => undefined };
  const read = (key: string): Promise<unknown> =>
    driver.read({ key, template, parameters: {}, accessUrl: "", owner: undefined }, log, signal);
  const results = await Promise.allSettled(["a", "b", "c", "d"].map(read));
  expect(results.map((result) => result.status === "rejected" && result.reason.message)).toEqual(
    Array.from({ length: 4 }, () => "installed"),
  );
});
