import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, it } from "vitest";

import { makeCommandPrograms } from "./command-programs.ts";

let folder = "";
let dataDir = "";
let agentProgram = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway programs-"));
  dataDir = join(folder, "data");
  agentProgram = join(folder, "agent.cjs");
  await writeFile(agentProgram, "");
});
afterEach(() => rm(folder, { recursive: true }));

async function output(program: string, ...words: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, words)).stdout;
}

/** Creates the programs; throws where the machine lacks them. */
async function make(path = ""): Promise<string> {
  const found = await makeCommandPrograms({ environment: { PATH: path }, dataDir, agentProgram });
  if (found === undefined) throw new Error("no programs");
  return found;
}

const printWords = `console.log(JSON.stringify(process.argv.slice(2)));`;

it("runs the bundle beside the agent, with the words as they are, under both names", async () => {
  await writeFile(join(folder, "workspace.js"), printWords);
  const directory = await make();
  for (const name of ["slipway", "coder"]) {
    const words = ["stat", "a b", "$HOME", "'"];
    expect(JSON.parse(await output(join(directory, name), ...words))).toEqual(words);
  }
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

it("runs the command that the machine has, rather than the bundle", async () => {
  await writeFile(join(folder, "workspace.js"), printWords);
  const bin = join(folder, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "slipway"), "#!/bin/sh\necho the machine\n", { mode: 0o755 });
  expect(await output(join(await make(`relative:/absent:${bin}`), "slipway"))).toBe(
    "the machine\n",
  );
  await chmod(join(bin, "slipway"), 0o644);
  expect(await output(join(await make(bin), "slipway"), "x")).toBe('["x"]\n');
});

it("does not run itself, once its directory is in PATH", async () => {
  await writeFile(join(folder, "workspace.js"), printWords);
  const first = await make();
  const second = await make(first);
  expect(await readFile(join(second, "slipway"), "utf8")).toContain("workspace.js");
});

it("makes none where there is no command", async () => {
  const environment = { PATH: folder };
  expect(await makeCommandPrograms({ environment, dataDir, agentProgram })).toBeUndefined();
  const absent = join(folder, "absent");
  expect(
    await makeCommandPrograms({ environment: {}, dataDir, agentProgram: absent }),
  ).toBeUndefined();
});

it.each(["open to others", "a link"])("uses no directory that is %s", async (how) => {
  await writeFile(join(folder, "workspace.js"), printWords);
  const place = join(dataDir, "coder-script-data", "commands");
  const elsewhere = join(folder, "elsewhere");
  await mkdir(elsewhere);
  await mkdir(join(dataDir, "coder-script-data"), { recursive: true });
  if (how === "a link") await symlink(elsewhere, place);
  else await mkdir(place);
  if (how !== "a link") await chmod(place, 0o777);
  const directory = await make();
  try {
    expect(directory).not.toBe(place);
    expect(await output(join(directory, "slipway"), "x")).toBe('["x"]\n');
  } finally {
    await rm(directory, { recursive: true });
  }
});
