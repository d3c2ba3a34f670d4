import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { type CommandProcess, ownCommand } from "./own-command.ts";

let directory = "";
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "slipway-own-")));
});
afterEach(() => rm(directory, { recursive: true }));

/** Unpacks a release below a directory, and returns the process that runs it with the release's own C library. */
async function unpack(path: string): Promise<CommandProcess> {
  const root = join(directory, path);
  const script = join(root, "lib/slipway/command.cjs");
  const program = join(root, "bin/slipway");
  for (const file of [script, program]) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "");
  }
  await chmod(program, 0o755);
  return { execPath: join(root, "lib/glibc/ld-linux-x86-64.so.2"), execArgv: [], script };
}

async function link(path: string, target: string): Promise<string> {
  const name = join(directory, path);
  await mkdir(dirname(name), { recursive: true });
  await symlink(target, name);
  return name;
}

it("names the link of install.sh, which outlives the release and needs no loader", async () => {
  const installed = await unpack("prefix/lib/slipway/0123456789abcdef");
  const name = await link("prefix/bin/slipway", "../lib/slipway/0123456789abcdef/bin/slipway");
  expect(await ownCommand({}, installed)).toEqual([name]);
});

it("names a link in PATH to a release that was unpacked elsewhere", async () => {
  const unpacked = await unpack("opt/slipway");
  const name = await link("bin/slipway", "../opt/slipway/bin/slipway");
  const environment = { PATH: `/nowhere::${dirname(name)}` };
  expect(await ownCommand(environment, unpacked)).toEqual([name]);
});

it("names the program of the release if every other name is another's", async () => {
  const old = await unpack("prefix/lib/slipway/0123456789abcdef");
  await unpack("prefix/lib/slipway/fedcba9876543210");
  const name = await link("prefix/bin/slipway", "../lib/slipway/fedcba9876543210/bin/slipway");
  const program = join(directory, "prefix/lib/slipway/0123456789abcdef/bin/slipway");
  expect(await ownCommand({ PATH: dirname(name) }, old)).toEqual([program]);
});

it("names Node.js and the script elsewhere", async () => {
  const { script } = await unpack("clone");
  const clone = {
    execPath: "/usr/bin/node",
    execArgv: ["--conditions=x"],
    script: "/a/slipway.js",
  };
  expect(await ownCommand({}, clone)).toEqual(["/usr/bin/node", "--conditions=x", "/a/slipway.js"]);
  await rm(join(directory, "clone/bin"), { recursive: true });
  expect(await ownCommand({}, { ...clone, script })).toContain(script);
});
