import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { procTable } from "../process/proc-table.ts";
import type { LeftoverBuild } from "./leftover-run.ts";
import { openRunDirectory, type RunDirectory } from "./run-directory.ts";
import { defaultRunLimits } from "./terraform-options.ts";

const { signal } = new AbortController();
const log = { write: () => undefined };

interface Runs {
  /** The parent of the directories of runs. */
  readonly root: string;
  readonly open: (build?: LeftoverBuild) => Promise<RunDirectory>;
}

async function makeRuns(): Promise<Runs> {
  const parent = await mkdtemp(join(tmpdir(), "slipway-runs-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const template = join(parent, "template");
  await mkdir(template);
  await writeFile(join(template, "main.tf"), "");
  const root = join(parent, "runs");
  const options = {
    root,
    users: undefined,
    table: procTable(),
    clock: systemClock,
    limits: defaultRunLimits,
  };
  return {
    root,
    open: (build) => openRunDirectory(options, { key: "w", template, build }, log, signal),
  };
}

it("keeps a state for its user alone, and with the directory until the server has it", async () => {
  const { root, open } = await makeRuns();
  let isFull = true;
  const build: LeftoverBuild = {
    readState: async () => Buffer.from("first"),
    keepState: async () => {
      if (isFull) throw new Error("no space left");
    },
    hold: () => Promise.reject(new Error("nothing runs")),
  };
  const first = await open(build);
  expect(await readFile(first.statePath, "utf8")).toBe("first");
  expect((await stat(first.statePath)).mode & 0o777).toBe(0o600);
  await expect(first.keepState(Buffer.from("second"))).rejects.toThrow("no space left");
  await first[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual(["w"]);
  const again = await open(build);
  await again.keepState(Buffer.from("second")).catch(() => undefined);
  isFull = false;
  await again.keepState(Buffer.from("third"));
  await again[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual([]);
});

it("is opened whatever an earlier run has left that cannot be removed", async () => {
  const { root, open } = await makeRuns();
  await mkdir(root);
  await writeFile(join(root, ".discarded-1"), "");
  await (await open())[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual([".discarded-1"]);
});

it("goes away and comes back while a program that a run left behind writes into it", async () => {
  const { root, open } = await makeRuns();
  const first = await open();
  const script = "echo up; i=0; while :; do i=$((i+1)); echo >f$i; done";
  const writer = spawn("/bin/sh", ["-c", script], {
    cwd: first.files,
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void writer.kill("SIGKILL"));
  await once(writer.stdout, "data");
  for (let turn = 0; turn < 5; turn += 1) {
    await first[Symbol.asyncDispose]();
    await expect(access(first.files)).rejects.toMatchObject({ code: "ENOENT" });
    await using again = await open();
    expect(await readdir(again.files)).toEqual(["main.tf"]);
  }
  const exited = once(writer, "exit");
  writer.kill("SIGKILL");
  await exited;
  await (await open())[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual([]);
});
