import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { sampleBuild } from "@slipway/testkit/compliance";
import { expect, it, onTestFinished } from "vitest";

import { TerraformDriver } from "./terraform-driver.ts";

const { signal } = new AbortController();
const log = { write: () => undefined };
const patience = { timeout: 20_000 };

/** A program whose `init` shows the state, waits until it may go on, and fails. */
const program = `#!/bin/sh
[ "$1" = version ] && echo OpenTofu v1.12.6 && exit
cp terraform.tfstate "$DIRECTORY/seen-$CODER_WORKSPACE_NAME"
while ! [ -e "$DIRECTORY/go" ]; do sleep 0.05; done
echo 'Error: installed'
exit 1
`;

it("reads the state of a build once, in its turn, and gives it to the program", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-driver-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "tofu");
  await writeFile(path, program, { mode: 0o755 });
  const files = join(directory, "files");
  await mkdir(files);
  await writeFile(join(files, "terraform.tfstate"), "that of something else");
  const driver = new TerraformDriver({
    runsDir: join(directory, "runs"),
    program: { path },
    configFile: undefined,
    environment: { DIRECTORY: directory },
    users: undefined,
    agentScripts: {},
    maxRuns: 1,
    clock: systemClock,
  });
  const go = join(directory, "go");
  const reads: string[] = [];
  const stop = (name: string) => {
    const build = sampleBuild({ transition: "stop" });
    const readState = async (): Promise<Uint8Array> => {
      reads.push(`${name} ${existsSync(go) ? "later" : "at first"}`);
      return Buffer.from(`{"serial":1,"of":"${name}"}`);
    };
    const workspace = { ...build.workspace, id: name, name };
    const template = { ...build.template, directory: files };
    return driver.stop({ ...build, workspace, template, readState }, log, signal);
  };
  const first = stop("one");
  await expect.poll(() => readdir(directory), patience).toContain("seen-one");
  const second = stop("two");
  const ends = Promise.allSettled([first, second]);
  await writeFile(go, "");
  expect(await ends).toMatchObject([
    { reason: { message: "installed" } },
    { reason: { message: "installed" } },
  ]);
  expect(reads).toEqual(["one at first", "two later"]);
  for (const name of ["one", "two"]) {
    const seen = await readFile(join(directory, `seen-${name}`), "utf8");
    expect(seen).toBe(`{"serial":1,"of":"${name}"}`);
  }
});
