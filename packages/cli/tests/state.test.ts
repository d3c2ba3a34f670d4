import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "./support/command-server.ts";

/** A program in the place of OpenTofu: each apply creates nothing, and counts itself in the state's serial. */
const tofu = `#!/bin/sh
case $1 in
version) echo "OpenTofu v1.12.6" ;;
show) echo '{"format_version":"1.0"}' ;;
apply)
  serial=$(sed -n 's/.*"serial":\\([0-9]*\\).*/\\1/p' terraform.tfstate 2>/dev/null)
  echo "{\\"version\\":4,\\"lineage\\":\\"one\\",\\"serial\\":$((serial + 1)),\\"resources\\":[]}" >terraform.tfstate ;;
esac
`;

let commandServer: CommandServer;
let directory = "";
const slipway = (line: string): Promise<CommandResult> => commandServer.slipway(line);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-state-"));
  const program = join(directory, "tofu");
  await writeFile(program, tofu, { mode: 0o755 });
  commandServer = await openCommandServer({
    SLIPWAY_TERRAFORM: program,
    SLIPWAY_TERRAFORM_USERS: "server",
  });
  await mkdir(join(directory, "box"));
  await writeFile(join(directory, "box", "main.tf"), "");
  expect(await slipway(`templates push ${join(directory, "box")}`)).toMatchObject({ code: 0 });
  expect(await slipway("create demo -t box")).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await commandServer[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const stateOf = (serial: number, lineage = "one"): string =>
  JSON.stringify({ version: 4, lineage, serial, resources: [] });

it("pulls the state of the newest build, or of another one", async () => {
  expect((await slipway("state pull demo")).out).toContain('"serial":1');
  expect(await slipway("stop demo")).toMatchObject({ code: 0 });
  expect((await slipway("state pull demo")).out).toContain('"serial":2');
  expect((await slipway("state pull demo --build -1")).out).toContain('"serial":1');
  expect(await slipway("state pull demo --build 7")).toMatchObject({
    err: expect.stringContaining("has no build 7, wanted 1 to 2"),
  });
});

it("writes a file that only its owner reads, and overwrites none by itself", async () => {
  const file = join(directory, "pulled");
  expect((await slipway(`state pull demo ${file}`)).err).toBe(`wrote ${file}\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await writeFile(file, "mine");
  expect((await slipway(`state pull demo ${file}`)).err).toContain("overwrite it with --force");
  expect(await readFile(file, "utf8")).toBe("mine");
  expect(await slipway(`state pull demo ${file} --force`)).toMatchObject({ code: 0 });
  expect(await readFile(file, "utf8")).toContain('"serial":2');
});

it("pushes a state, and builds the workspace from it unless it is told not to", async () => {
  const file = join(directory, "pushed");
  await writeFile(file, stateOf(10));
  const pushed = await slipway(`state push demo ${file} --no-build`);
  expect(pushed.err).toBe(`pushed ${file} to admin/demo\n`);
  expect((await slipway("state pull demo")).out).toBe(stateOf(10));
  expect((await slipway(`state push demo ${file}`)).err).toContain(
    "is built from the pushed state",
  );
  expect((await slipway("state pull demo")).out).toContain('"serial":11');
  expect((await slipway("list -c workspace,status")).out).toMatch(/demo +stopped/i);
  const older = await slipway(`state push demo ${file} -n`);
  expect(older.code).not.toBe(0);
  expect(older.err).toContain("serial 10, wanted 11 or more");
  await writeFile(file, stateOf(1, "other"));
  expect((await slipway(`state push demo ${file} -n`)).err).toContain("lineage other");
  expect(await slipway(`state push demo ${file} -n --force`)).toMatchObject({ code: 0 });
  expect((await slipway("state pull demo")).out).toBe(stateOf(1, "other"));
  for (const flags of ["-n --build 1", "--no-build -b 1", "--build-number 1 -n", "-b 1 -n"]) {
    expect((await slipway(`state push demo ${file} ${flags}`)).err).toContain("not the newest");
  }
  expect((await slipway("state push demo /nonexistent -n")).err).toContain("cannot read");
});
